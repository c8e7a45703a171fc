"""kintone's screens with its JavaScript API, desktop and mobile, for a plug-in to run on. Records are a FakeDomain's."""

from tests.fakes.kintone_pages.server import KintonePages, PageUser

__all__ = ["KintonePages", "PageUser"]
