# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The shares, what is open of them, and their papers"""
from flask import Blueprint, Response, abort, render_template

from trytond.pool import Pool

from .. import access
from ..page import page
from .account import send

blueprint = Blueprint('shares', __name__, url_prefix='/shares')
SUBSCRIPTION = 'coop.share.subscription'
REDEMPTION = 'coop.share.redemption'


def _payment(subscription):
    "Return what is asked to be paid, as the letter asks for it"
    Confirmation = Pool().get(f'{SUBSCRIPTION}.confirmation', type='report')
    return Confirmation.get_request(subscription)


@blueprint.route('')
@page(part='shares')
def index():
    member = access.member()
    subscriptions = access.find(
        SUBSCRIPTION, [('state', 'in', ['confirmed', 'paid'])],
        order=[('date', 'DESC'), ('id', 'DESC')])
    return render_template(
        'shares.html', member=member, subscriptions=subscriptions,
        payments={
            s: _payment(s) for s in subscriptions if s.state == 'confirmed'},
        certificates=access.find('coop.share.certificate'),
        redemptions=access.find(REDEMPTION))


@blueprint.route('/<int:id_>/code.png')
@page(part='shares')
def code(id_):
    "The code that the apps of banks read"
    subscription = access.get(SUBSCRIPTION, id_)
    payment = _payment(subscription)
    image = payment.qr_code if payment else None
    if not image:
        abort(404)
    content, mimetype = image
    return Response(content, mimetype=mimetype)


@blueprint.route('/<int:id_>/letter')
@page(part='shares')
def letter(id_):
    return send(*access.print_(
            access.get(SUBSCRIPTION, id_),
            'coop_shares.report_subscription_confirmation'))


@blueprint.route('/statement')
@page(part='shares')
def statement():
    return send(*access.print_(
            access.member(), 'coop_shares.report_statement'))


@blueprint.route('/certificate/<int:id_>')
@page(part='shares')
def certificate(id_):
    return send(*access.print_(
            access.get('coop.share.certificate', id_),
            'coop_shares.report_certificate'))


@blueprint.route('/redemption/<int:id_>/letter')
@page(part='shares')
def settlement(id_):
    return send(*access.print_(
            access.get(REDEMPTION, id_),
            'coop_shares.report_redemption_settlement'))
