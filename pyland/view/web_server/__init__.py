"""The back of ``pyland view``: runs as URLs, on loopback or as files; the page itself lies in ``pyland/view/web``."""
