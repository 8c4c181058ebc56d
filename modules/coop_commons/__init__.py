# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from . import feed_route, routes

__all__ = ['feed_route', 'routes']
