"""An image that declares a VOLUME, which the engine would make on the host's disk.

Tries: to have a writable place that no limit holds and that stays when the run is over.
Must: be refused before it runs, in a sentence that says why.

image: VOLUME /data
expect: FAILED IMAGE_REFUSED
"""
