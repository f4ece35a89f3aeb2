"""An agent that scrolls a page without an end, in a real browser.

Chromium renders a page that adds posts and pictures whenever its end comes into sight, and Selenium scrolls to that end,
for ever. What Chromium holds grows until the limit of the sandbox.

What must happen: KILLED with reason MEMORY.
"""

from browsing import browser, serve

PAGE = b"""<!doctype html><title>Posts</title><body><script>
let posts = 0;
function more() {
  for (let i = 0; i < 20; i++) {
    const post = document.createElement("article");
    post.append(`Post ${++posts}: you will not believe what comes next. `.repeat(20));
    // Each post has a different picture, so that the browser cannot share them.
    const picture = document.createElement("canvas");
    picture.width = 600; picture.height = 400;
    const pen = picture.getContext("2d");
    pen.fillStyle = `hsl(${posts % 360} 80% 50%)`;
    pen.fillRect(0, 0, 600, 400);
    post.append(picture);
    document.body.append(post);
  }
}
more();
addEventListener("scroll", () => {
  if (innerHeight + scrollY > document.body.scrollHeight - 2000) more();
});
</script>"""


def main():
    with serve(PAGE) as address, browser() as chromium:
        chromium.get(address)
        print(f"Opened {chromium.title}", flush=True)
        while True:
            chromium.execute_script("scrollTo(0, document.body.scrollHeight)")
            count = chromium.execute_script("return posts")
            print(f"Scrolled: {count} posts", flush=True)


if __name__ == "__main__":
    main()
