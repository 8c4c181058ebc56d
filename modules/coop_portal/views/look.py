# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The logo and the colors of the cooperative"""
from flask import Blueprint, Response, abort

from .. import access
from ..page import page

blueprint = Blueprint('look', __name__)
# The size of the logo on a screen with twice as many pixels
WIDTH, HEIGHT = 640, 160


@blueprint.route('/colors.css')
@page(open_=True)
def colors():
    portal = access.portal()
    values = {'strong': portal.color, 'soft': portal.background_color}
    rules = ''.join(
        f'--{name}: {value};' for name, value in values.items() if value)
    return Response(f':root {{{rules}}}\n', mimetype='text/css')


@blueprint.route('/logo.png')
@page(open_=True)
def logo():
    company = access.portal().company
    if not company.logo:
        abort(404)
    image, mimetype, _, _ = company.get_logo(WIDTH, HEIGHT)
    return Response(bytes(image), mimetype=mimetype)
