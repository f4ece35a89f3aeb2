"""An agent whose browser scrolls for ever.

It looks for the end of a page that has none: each time it scrolls, the page loads more posts, and the browser keeps them
all, with their text and their pictures. So its memory grows until the limit.

What must happen: KILLED with reason MEMORY.
"""

import time


class Element:
    """One node of a page's tree."""

    def __init__(self, tag, text="", picture=b""):
        self.tag, self.text, self.picture, self.children = tag, text, picture, []

    def append(self, child):
        self.children.append(child)
        return child


class Browser:
    """Loads more posts each time it is scrolled to the end of the page."""

    POSTS_PER_SCROLL = 20
    PICTURE_BYTES = 50_000

    def __init__(self):
        self.page = Element("body")
        self.posts = 0

    def scroll(self):
        for _ in range(self.POSTS_PER_SCROLL):
            self.posts += 1
            post = self.page.append(Element("article"))
            post.append(Element("p", text=f"Post {self.posts}: you will not believe what comes next. " * 20))
            # Real bytes, not the untouched zeros that a kernel does not count.
            post.append(Element("img", picture=bytes([self.posts % 255 + 1]) * self.PICTURE_BYTES))

    def at_the_end(self):
        return False


def main():
    browser = Browser()
    while not browser.at_the_end():
        browser.scroll()
        print(f"Scrolled: {browser.posts} posts, {browser.posts * Browser.PICTURE_BYTES >> 20} MiB of pictures", flush=True)
        time.sleep(0.03)
    print("That was all.")


if __name__ == "__main__":
    main()
