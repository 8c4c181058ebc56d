# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The bookings of the member: series, move, start and finish, calendar"""
from flask import (
    Blueprint, Response, abort, flash, g, redirect, render_template, request,
    url_for)
from wtforms import (
    BooleanField, DateField, DecimalField, IntegerField, SelectField)
from wtforms.validators import InputRequired, NumberRange

from trytond.pool import Pool
from trytond.transaction import Transaction

from .. import access
from ..page import (
    Form, label, lazy_label, lazy_text, money, number, page, text)
from .use import BOOKING, BookingForm, _resource

blueprint = Blueprint('own', __name__)
SERIES = 'coop.commons.series'
FEED = 'coop.commons.feed'
USAGE = 'coop.commons.usage'


class SeriesForm(BookingForm):
    frequency = SelectField(lazy_label(SERIES, 'frequency'))
    interval = IntegerField(
        lazy_label(SERIES, 'interval'),
        [InputRequired(), NumberRange(min=1, max=52)], default=1)
    until = DateField(lazy_label(SERIES, 'until'), [InputRequired()])
    skip = BooleanField(lazy_text('series_skip'))

    def __init__(self):
        super().__init__()
        Series = Pool().get(SERIES)
        self.frequency.choices = [
            (value, name) for value, name
            in Series.fields_get(['frequency'])['frequency']['selection']
            if value]


@blueprint.route('/use/<int:id_>/series', methods=['GET', 'POST'])
@page(part='use')
def series(id_):
    Series = Pool().get(SERIES)
    resource = _resource(id_)
    form = SeriesForm()
    if resource.capacity == 1:
        del form.quantity
    items = []
    if form.accepted:
        series = Series.for_member(
            access.member(), resource, form.start.data, form.end.data,
            quantity=form.data.get('quantity', 1),
            purpose=form.purpose.data, frequency=form.frequency.data,
            interval=form.interval.data, until=form.until.data,
            skip=form.skip.data)
        if 'book' in request.form:
            Series.confirm([access.create(series)])
            flash(text('booked'))
            return redirect(url_for('use.bookings'))
        items = [
            (text('times'), len(series.times)),
            (label(BOOKING, 'estimate'),
                money(series.estimate, resource.company.currency)
                or text('no_price')),
            ]
    return render_template(
        'form.html', title=f'{resource.name}: {text("series")}', form=form,
        items=items, buttons=[('price', text('price'))],
        submit=text('book'), submit_name='book')


@blueprint.route('/series/<int:id_>/cancel', methods=['POST'])
@page(part='use')
def cancel_series(id_):
    series = access.get(SERIES, id_)
    series.__class__.cancel([series])
    flash(text('cancelled'))
    return redirect(url_for('use.bookings'))


@blueprint.route('/bookings/<int:id_>/move', methods=['GET', 'POST'])
@page(part='use')
def move(id_):
    booking = access.get(BOOKING, id_)
    if not booking.movable:
        abort(404)
    form = BookingForm(data={
            'start': booking.local_start.replace(tzinfo=None),
            'end': booking.local_end.replace(tzinfo=None),
            'quantity': booking.quantity,
            })
    del form.purpose
    if booking.state == 'running':
        del form.quantity
        form.start.validators = []
        form.start.data = booking.local_start.replace(tzinfo=None)
    elif booking.resource.capacity == 1:
        del form.quantity
    items = [(label(BOOKING, 'local_time'), booking.local_time)]
    if form.accepted:
        change = (
            form.start.data, form.end.data,
            form.data.get('quantity', booking.quantity))
        if 'move' in request.form:
            booking.move(*change)
            flash(text('moved'))
            return redirect(url_for('use.booking', id_=id_))
        _, price, fee = booking.preview_move(*change)
        items.extend([
                (label(BOOKING, 'estimate'),
                    money(price, booking.currency) or text('no_price')),
                (text('move_fee'), money(fee or 0, booking.currency))])
    return render_template(
        'form.html', title=f'{booking.resource.name}: {text("move")}',
        form=form, items=items, buttons=[('price', text('price'))],
        submit=text('move'), submit_name='move')


def _get_meter_form(booking):
    "Return the form with a field for the value of each meter"
    names = {
        f'meter_{meter.id}': DecimalField(
            f'{meter.name} ({meter.unit.symbol})',
            [InputRequired(), NumberRange(min=0, max=10 ** 10)])
        for meter, _ in booking.meters}
    return type('MeterForm', (Form,), names)()


def _use_meters(id_, allowed, act, title, done):
    booking = access.get(BOOKING, id_)
    if not allowed(booking):
        abort(404)
    form = _get_meter_form(booking)
    if form.accepted:
        act(booking, {
                meter: form[f'meter_{meter.id}'].data
                for meter, _ in booking.meters})
        flash(text(done))
        return redirect(url_for('use.booking', id_=id_))
    return render_template(
        'form.html', title=f'{booking.resource.name}: {text(title)}',
        form=form, submit=text(title), items=[
            (label(BOOKING, 'local_time'), booking.local_time),
            *((text('last_value', meter=meter.name), str(value))
                for meter, value in booking.meters if value is not None)])


@blueprint.route('/bookings/<int:id_>/start', methods=['GET', 'POST'])
@page(part='use')
def start(id_):
    return _use_meters(
        id_, lambda b: b.startable, lambda b, values: b.begin(values),
        'start', 'started')


@blueprint.route('/bookings/<int:id_>/finish', methods=['GET', 'POST'])
@page(part='use')
def finish(id_):
    return _use_meters(
        id_, lambda b: b.state == 'running',
        lambda b, values: b.end_use(values), 'finish', 'finished')


@blueprint.route('/usage')
@page(part='use')
def usage():
    def quantities(usage):
        return [(q.unit.name, number(q.quantity)) for q in usage.quantities]

    return render_template(
        'usage.html', quantities=quantities, usages=access.find(
            USAGE, [('state', '!=', 'cancelled')],
            order=[('start', 'DESC'), ('id', 'DESC')])[:200])


@blueprint.route('/prepaid')
@page(part='use')
def prepaid():
    pool = Pool()
    member = access.member()
    return render_template('prepaid.html', currency=member.currency, groups=[
            (text(name), text(left), pool.get(model).of_member(member))
            for name, left, model in [
                ('packs', 'pack_left', 'coop.commons.pack'),
                ('deposits', 'deposit_left', 'coop.commons.deposit')]])


@blueprint.route('/calendar', methods=['GET', 'POST'])
@page(part='use')
def calendar():
    Feed = Pool().get(FEED)
    form = Form()
    if form.accepted:
        if 'revoke' in request.form:
            Feed.revoke_own(access.member())
        else:
            Feed.renew_own(access.member())
        return redirect(url_for('own.calendar'))
    feed = Feed.of_member(access.member())
    return render_template('calendar.html', form=form, address=feed and (
            url_for('own.feed', key=feed.key, _external=True)))


@blueprint.route('/calendar/<key>.ics')
@page(open_=True, part='use')
def feed(key):
    "Return the bookings to whoever knows the key, as a calendar asks"
    feed = Pool().get(FEED).read_key(key)
    if (not feed or not feed.active or not feed.member
            or feed.company.id != g.visitor.company):
        abort(404)
    lang = feed.member.party.lang or feed.company.party.lang
    with Transaction().set_context(
            companies=[feed.company.id],
            language=lang.code if lang else g.visitor.language):
        content = feed.__class__(feed.id).get_calendar()
    return Response(
        content, content_type='text/calendar; charset=utf-8')
