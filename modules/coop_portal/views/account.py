# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The membership, what is open, papers and data"""
import json

from flask import Blueprint, Response, g, redirect, render_template, url_for
from werkzeug.http import dump_options_header

from .. import access
from ..page import page, text

blueprint = Blueprint('account', __name__)
TYPES = {
    'json': 'application/json',
    'odt': 'application/vnd.oasis.opendocument.text',
    'pdf': 'application/pdf',
    'png': 'image/png',
    }


def send(name, content):
    "Answer with a file to be kept"
    extension = name.rpartition('.')[-1]
    return Response(
        content, mimetype=TYPES.get(extension, 'application/octet-stream'),
        headers={
            'Content-Disposition': dump_options_header(
                'attachment', {'filename': name}),
            })


@blueprint.route('/')
@page()
def overview():
    if not access.members() and (
            'join' in g.visitor.parts or access.applications()):
        return redirect(url_for('join.categories'))
    elif not access.members():
        return render_template('error.html', message=text('no_member'))
    return render_template('overview.html', member=access.member())


@blueprint.route('/member/<int:id_>', methods=['POST'])
@page()
def choose(id_):
    access.choose_member(id_)
    return redirect(url_for('account.overview'))


@blueprint.route('/papers')
@page()
def papers():
    invoices = []
    if access.exists('account.invoice'):
        invoices = access.find('account.invoice')
    return render_template(
        'papers.html', member=access.member(), invoices=invoices)


@blueprint.route('/papers/member/<int:id_>')
@page()
def confirmation(id_):
    return send(*access.print_(
            access.get('coop.member', id_),
            'coop_membership.report_member_confirmation'))


@blueprint.route('/papers/invoice/<int:id_>')
@page()
def invoice(id_):
    return send(*access.print_(
            access.get('account.invoice', id_),
            'account_invoice.report_invoice'))


@blueprint.route('/data.json')
@page()
def data():
    return send('data.json', json.dumps(
            access.member().personal_data, ensure_ascii=False, indent=2))
