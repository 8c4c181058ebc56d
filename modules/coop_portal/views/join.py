# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Become a member: confirm the e-mail address, apply, and see the answer"""
from flask import Blueprint, flash, g, redirect, render_template, url_for
from wtforms import (
    BooleanField, DateField, DecimalField, SelectField, StringField,
    TextAreaField)
from wtforms.validators import InputRequired, Length, Optional

from trytond.pool import Pool

from .. import access
from ..page import Form, lazy_label, money, page, steady, text
from ..upload import Uploads
from .account import send
from .door import EmailForm
from .requests import LENGTH, REQUEST

blueprint = Blueprint('join', __name__, url_prefix='/join')


class ApplicationForm(Form):
    name = StringField(
        lazy_label(REQUEST, 'name'), [InputRequired(), Length(max=200)],
        render_kw={'autocomplete': 'name'})
    legal_entity = BooleanField(lazy_label(REQUEST, 'legal_entity'))
    birth_date = DateField(
        lazy_label(REQUEST, 'birth_date'), [Optional()],
        render_kw={'autocomplete': 'bday'})
    representative = StringField(
        lazy_label(REQUEST, 'representative'),
        [Optional(), Length(max=200)])
    street = TextAreaField(
        lazy_label(REQUEST, 'street'), [InputRequired(), Length(max=300)],
        render_kw={'autocomplete': 'street-address'})
    postal_code = StringField(
        lazy_label(REQUEST, 'postal_code'), [Optional(), Length(max=20)],
        render_kw={'autocomplete': 'postal-code'})
    city = StringField(
        lazy_label(REQUEST, 'city'), [InputRequired(), Length(max=100)],
        render_kw={'autocomplete': 'address-level2'})
    account_number = StringField(
        lazy_label(REQUEST, 'account_number'), [Optional(), Length(max=42)])
    share_class = SelectField(
        lazy_label(REQUEST, 'share_class'), coerce=int)
    quantity = DecimalField(lazy_label(REQUEST, 'quantity'), [Optional()])
    text = TextAreaField(
        lazy_label(REQUEST, 'text'), [Optional(), Length(max=LENGTH)])
    files = Uploads()


def _get_form(papers):
    "Return the form with a box for each of the documents to agree to"
    Request = Pool().get(REQUEST)
    boxes = {
        f'paper_{document.id}': BooleanField(
            text('agree', document=document.rec_name),
            [InputRequired()] if required else [])
        for document, required in papers}
    form = type('PapersForm', (ApplicationForm,), boxes)()
    for name in ['account_number', 'share_class', 'quantity']:
        if name not in Request._fields or (
                name != 'account_number'
                and 'shares' not in g.visitor.parts):
            delattr(form, name)
    if form.share_class:
        form.share_class.choices = [(0, '–'), *(
                (c.id, f'{c.rec_name}: {money(c.par_value, c.currency)}')
                for c in Request.open_classes(g.visitor.company))]
    return form


@blueprint.route('', methods=['GET', 'POST'])
@steady
@page(open_=True, part='join')
def index():
    if g.visitor.user:
        return redirect(url_for('join.categories'))
    form = EmailForm()
    if form.accepted:
        Pool().get('web.user').invite(form.email.data)
        flash(text('link_sent_join'))
        return redirect(url_for('door.sign_in'))
    return render_template(
        'form.html', title=text('join'), note=text('join_email'), form=form,
        submit=text('send_link'))


@blueprint.route('/categories')
@page()
def categories():
    return render_template(
        'categories.html', applications=access.applications(),
        categories=(
            access.portal().open_categories if 'join' in g.visitor.parts
            else []))


@blueprint.route('/category/<int:id_>', methods=['GET', 'POST'])
@page(part='join')
def apply(id_):
    pool = Pool()
    Lang = pool.get('ir.lang')
    Request = pool.get(REQUEST)
    User = pool.get('web.user')
    category = access.category(id_)
    papers = Request.papers(g.visitor.company)
    form = _get_form(papers)
    if form.accepted:
        language, = Lang.search([('code', '=', g.visitor.language)])
        request = Request(
            company=g.visitor.company, kind='application',
            category=category, date=Request.default_date(),
            email=User(g.visitor.user).email, language=language,
            consents=[
                d for d, _ in papers if form[f'paper_{d.id}'].data])
        for name, value in form.data.items():
            if name in Request._fields:
                setattr(request, name, value or None)
        request.legal_entity = form.legal_entity.data
        form.files.attach(access.create(request))
        flash(text('request_sent'))
        return redirect(url_for('join.categories'))
    return render_template(
        'application.html', category=category, form=form,
        papers=[d for d, _ in papers if access.attached(d)])


@blueprint.route('/paper/<int:id_>')
@page(part='join')
def paper(id_):
    attachment = access.paper(id_)
    if attachment.type == 'link':
        return redirect(attachment.link)
    return send(attachment.name, bytes(attachment.data))
