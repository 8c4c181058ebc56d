# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What a member asks the office for"""
from flask import (
    Blueprint, abort, flash, g, redirect, render_template, url_for)
from wtforms import (
    DecimalField, EmailField, SelectField, StringField, TextAreaField)
from wtforms.validators import InputRequired, Length, Optional

from trytond.pool import Pool

from .. import access
from ..page import Form, day, is_email, label, lazy_label, money, page, text
from ..upload import Uploads

blueprint = Blueprint('requests', __name__, url_prefix='/requests')
REQUEST = 'coop.portal.request'
LENGTH = 4000


class OtherForm(Form):
    text = TextAreaField(
        lazy_label(REQUEST, 'text'), [InputRequired(), Length(max=LENGTH)])
    files = Uploads()


class NoticeForm(Form):
    text = TextAreaField(
        lazy_label(REQUEST, 'text'), [Optional(), Length(max=LENGTH)])
    files = Uploads()


class AddressForm(Form):
    street = TextAreaField(
        lazy_label(REQUEST, 'street'), [InputRequired(), Length(max=300)],
        render_kw={'autocomplete': 'street-address'})
    postal_code = StringField(
        lazy_label(REQUEST, 'postal_code'), [Optional(), Length(max=20)],
        render_kw={'autocomplete': 'postal-code'})
    city = StringField(
        lazy_label(REQUEST, 'city'), [InputRequired(), Length(max=100)],
        render_kw={'autocomplete': 'address-level2'})


class EmailForm(Form):
    email = EmailField(
        lazy_label(REQUEST, 'email'),
        [InputRequired(), Length(max=254), is_email()],
        render_kw={'autocomplete': 'email'})


class AccountForm(Form):
    account_number = StringField(
        lazy_label(REQUEST, 'account_number'),
        [InputRequired(), Length(max=42)])


class SharesForm(Form):
    share_class = SelectField(
        lazy_label(REQUEST, 'share_class'), [InputRequired()], coerce=int)
    quantity = DecimalField(
        lazy_label(REQUEST, 'quantity'), [InputRequired()])

    def __init__(self):
        super().__init__()
        self.share_class.choices = [
            (c.id, f'{c.rec_name}: {money(c.par_value, c.currency)}')
            for c in Pool().get(REQUEST).open_classes(g.visitor.company)]


FORMS = {
    'address': AddressForm,
    'email': EmailForm,
    'account': AccountForm,
    'shares': SharesForm,
    'notice': NoticeForm,
    'other': OtherForm,
    }


@blueprint.route('')
@page()
def index():
    Request = Pool().get(REQUEST)
    return render_template(
        'requests.html', requests=access.find(REQUEST),
        names=access.attachment_names,
        kinds=Request.kinds_for(access.member(), g.visitor.parts))


@blueprint.route('/new/<kind>', methods=['GET', 'POST'])
@page()
def new(kind):
    Request = Pool().get(REQUEST)
    member = access.member()
    kinds = Request.kinds_for(member, g.visitor.parts)
    if kind not in kinds:
        abort(404)
    form = FORMS[kind]()
    request = Request(
        company=member.company, member=member, kind=kind,
        date=Request.default_date())
    if form.accepted:
        for name, value in form.data.items():
            if name in Request._fields:
                setattr(request, name, value)
        request = access.create(request)
        if 'files' in form:
            form.files.attach(request)
        flash(text('request_sent'))
        return redirect(url_for('requests.index'))
    return render_template(
        'form.html', title=kinds[kind], form=form,
        submit=text('send'), items=_consequences(request))


def _consequences(request):
    "Return what a notice would lead to, as labels and values"
    if request.kind != 'notice':
        return []
    return [
        (label(REQUEST, 'exit_date'), day(request.on_change_with_exit_date())),
        *((name, money(amount, request.company.currency))
            for name, amount in request.exit_amounts()),
        ]


@blueprint.route('/<int:id_>/withdraw', methods=['POST'])
@page()
def withdraw(id_):
    request = access.get(REQUEST, id_)
    request.__class__.withdraw([request])
    return redirect(url_for(
            'requests.index' if request.member else 'join.categories'))
