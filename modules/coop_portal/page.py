# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What all pages have in common: their transaction, their form, their texts"""
import random
import time
from functools import wraps

from flask import abort, flash, g, redirect, request, session, url_for
from flask_tryton import tryton_transaction
from flask_wtf import FlaskForm
from wtforms.validators import Regexp

from trytond import backend
from trytond.exceptions import UserError, UserWarning
from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.report import Report
from trytond.tools.string_ import LazyString
from trytond.transaction import Transaction

# As long as it takes to send a letter, in seconds
STEADY = 2
# How long somebody waits for what others change, in seconds
PATIENCE = 20


class Refused(Exception):
    "The reason, in words for users, why nothing was done"


def text(name, /, **values):
    return gettext(f'coop_portal.msg_page_{name}', **values)


def label(model, name):
    "Return what the field of the model is called"
    return Pool().get(model).__names__(field=name)['field']


def choice(record, name):
    "Return what the value of the selection is called"
    field = record._fields[name]
    return field.get_selection_string(
        field.get_selection(record.__class__, name, record),
        getattr(record, name))


def lazy_text(name, /, **values):
    return LazyString(text, name, **values)


def lazy_label(model, name):
    return LazyString(label, model, name)


def _lang():
    return Pool().get('ir.lang').get()


def day(date):
    return Report.format_date(date, _lang()) if date else ''


def money(amount, currency):
    if amount is None:
        return ''
    return Report.format_currency(amount, _lang(), currency)


def number(value, digits=None):
    "Return the number with its digits, or with those it needs"
    if digits is None and value:
        digits = max(0, -value.normalize().as_tuple().exponent)
    return Report.format_number(value, _lang(), digits=digits)


def run(func, values, readonly=None, as_visitor=True):
    "Run the function in a transaction of the visitor, or of nobody"
    visitor = g.get('visitor')
    user, context = 0, {}
    if visitor and as_visitor:
        user, context = visitor.portal_user, visitor.context
    elif visitor:
        context = visitor.open_context

    @tryton_transaction(readonly=readonly, user=user, context=lambda: context)
    def call():
        try:
            return func(**values)
        except (UserError, UserWarning) as error:
            # What was begun is taken back when it leaves the transaction
            raise Refused(error.message) from error
        except OverflowError:
            # A number or a day that nothing can have
            abort(404)

    return _take_turns(call)


def _take_turns(func):
    """Do it again as long as others hold what it needs

    Tryton tries for some tenths of a second only, and at the same moments.
    """
    end = time.monotonic() + PATIENCE
    flashes = list(session.get('_flashes', []))
    while True:
        try:
            return func()
        except backend.DatabaseOperationalError:
            if time.monotonic() > end:
                raise
            if '_flashes' in session:
                session['_flashes'] = list(flashes)
            time.sleep(random.uniform(.05, .25))


def page(open_=False, part=None):
    """Make a view of the function

    An open one is for everybody, and runs as nobody.  What a method refuses
    is said on the same page, after nothing has been written.
    """
    def decorate(func):
        @wraps(func)
        def view(**values):
            visitor = g.visitor
            if not open_ and not visitor.user:
                return redirect(url_for('door.sign_in'))
            if part and part not in visitor.parts:
                abort(404)
            if any('\0' in value for value in request.values.values()):
                # PostgreSQL has no texts with it
                abort(400)
            try:
                return run(func, values, as_visitor=not open_)
            except Refused as error:
                if request.method != 'POST':
                    abort(404)
                if 'GET' not in request.url_rule.methods:
                    flash(str(error), 'refused')
                    return redirect(url_for('account.overview'))
                g.refused = str(error)
                return run(
                    func, values, readonly=True, as_visitor=not open_)
        return view
    return decorate


def steady(view):
    "Let the answer to a form take as long whatever was found"
    @wraps(view)
    def steady_view(**values):
        end = time.monotonic() + STEADY
        try:
            return view(**values)
        finally:
            if request.method == 'POST':
                time.sleep(max(0, end - time.monotonic()))
    return steady_view


# One address, and nothing that could become a line of a header
EMAIL = r'[^\s@,;:<>()"\\\[\]]+@[^\s@,;:<>()"\\\[\]]+\Z'


def is_email():
    return Regexp(EMAIL, message=lazy_text('bad_email'))


class Form(FlaskForm):
    "A form in the language of the visitor, with its token"

    class Meta(FlaskForm.Meta):
        @property
        def locales(self):
            return [Transaction().language]

    @property
    def accepted(self):
        "Whether it was sent, is complete and nothing refuses it"
        return 'refused' not in g and self.validate_on_submit()
