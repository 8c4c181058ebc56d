# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
project = 'Tryton Coop'
copyright = "2026, The Tryton Coop developers"
release = version = '8.0'
exclude_patterns = ['_build']
html_theme = 'alabaster'
