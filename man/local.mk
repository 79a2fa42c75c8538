man_pages =

dist_man_MANS = $(man_pages)
