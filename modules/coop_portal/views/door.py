# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Come in, go out, and choose a password"""
from flask import (
    Blueprint, flash, g, redirect, render_template, request, url_for)
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired, Length

from trytond.pool import Pool

from .. import access
from ..page import Form, is_email, lazy_label, lazy_text, page, steady, text

blueprint = Blueprint('door', __name__)


class EmailForm(Form):
    email = EmailField(
        lazy_label('coop.portal.request', 'email'),
        [InputRequired(), Length(max=254), is_email()],
        render_kw={'autocomplete': 'username'})


class SignInForm(EmailForm):
    password = PasswordField(
        lazy_text('password'), [InputRequired(), Length(max=128)],
        render_kw={'autocomplete': 'current-password'})


class PasswordForm(Form):
    password = PasswordField(
        lazy_text('new_password'), [InputRequired(), Length(min=8, max=128)],
        render_kw={'autocomplete': 'new-password'})


@blueprint.route('/sign-in', methods=['GET', 'POST'])
@page(open_=True)
def sign_in():
    form = SignInForm()
    if form.accepted:
        if access.sign_in(form.email.data, form.password.data):
            return redirect(url_for('account.overview'))
        form.password.errors = [text('sign_in_failed')]
    links = [(url_for('door.forgotten'), text('forgotten'))]
    if 'join' in g.visitor.parts:
        links.append((url_for('join.index'), text('join')))
    return render_template(
        'form.html', title=text('sign_in'), form=form,
        submit=text('sign_in'), links=links)


@blueprint.route('/sign-out', methods=['POST'])
@page(open_=True)
def sign_out():
    access.sign_out()
    return redirect(url_for('door.sign_in'))


@blueprint.route('/forgotten', methods=['GET', 'POST'])
@steady
@page(open_=True)
def forgotten():
    form = EmailForm()
    if form.accepted:
        Pool().get('web.user').send_link(form.email.data)
        # The same for everybody: nobody learns which addresses are known
        flash(text('link_sent'))
        return redirect(url_for('door.sign_in'))
    return render_template(
        'form.html', title=text('forgotten'), form=form,
        submit=text('send_link'))


@blueprint.route('/password', methods=['GET', 'POST'])
@page(open_=True)
def password():
    form = PasswordForm()
    if form.accepted:
        User = Pool().get('web.user')
        if User.choose_password(
                request.args.get('email', ''), request.args.get('token', ''),
                form.password.data):
            flash(text('password_saved'))
            return redirect(url_for('door.sign_in'))
        form.password.errors = [text('link_bad')]
    return render_template(
        'form.html', title=text('new_password'), form=form,
        submit=text('save'))


@blueprint.route('/privacy')
@page(open_=True)
def privacy():
    return render_template('privacy.html')
