docs_files =

dist_doc_DATA = README.md $(docs_files)
