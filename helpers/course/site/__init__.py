"""The course as a site: the executed notebooks, as committed, turned into pages that need no server and no network.

`course.py site` writes it. `formulas` turns TeX into MathML, `notebook` a notebook into a page's content, `frame` puts
the content between header, contents and the links to its neighbors, `build` writes all files, `checking` reads them again.
"""
