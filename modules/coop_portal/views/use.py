# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What can be booked, when it is free, and the bookings of the member"""
import datetime as dt

from flask import (
    Blueprint, abort, flash, g, redirect, render_template, request, url_for)
from wtforms import DateTimeLocalField, IntegerField, StringField
from wtforms.validators import (
    InputRequired, Length, NumberRange, Optional, ValidationError)

from trytond.pool import Pool

from .. import access
from ..page import Form, lazy_label, page, text

blueprint = Blueprint('use', __name__)
BOOKING = 'coop.commons.booking'
RESOURCE = 'coop.commons.resource'
DAYS = 7
DAY = dt.timedelta(days=1)
# The price of each day is calculated before anybody decides
LONGEST = 366 * DAY


class BookingForm(Form):
    start = DateTimeLocalField(
        lazy_label(BOOKING, 'start'), [InputRequired()])
    end = DateTimeLocalField(
        lazy_label(BOOKING, 'end'), [InputRequired()])
    quantity = IntegerField(
        lazy_label(BOOKING, 'quantity'),
        [InputRequired(), NumberRange(min=1)], default=1)
    purpose = StringField(
        lazy_label(BOOKING, 'purpose'), [Optional(), Length(max=200)])

    def validate_end(self, field):
        start, end = self.start.data, field.data
        if start and end and not dt.timedelta() < end - start <= LONGEST:
            raise ValidationError(text('booking_length'))


def _resource(id_):
    for resource in _resources():
        if resource.id == id_:
            return resource
    abort(404)


def _resources():
    return Pool().get(RESOURCE).bookable_now(g.visitor.company)


@blueprint.route('/use')
@page(part='use')
def index():
    return render_template('resources.html', resources=_resources())


@blueprint.route('/use/<int:id_>', methods=['GET', 'POST'])
@page(part='use')
def resource(id_):
    Booking = Pool().get(BOOKING)
    resource = _resource(id_)
    first = _day(resource)
    form = BookingForm()
    if resource.capacity == 1:
        del form.quantity
    booking = None
    if form.accepted:
        booking = Booking.for_member(
            access.member(), resource, form.start.data, form.end.data,
            form.data.get('quantity', 1), form.purpose.data)
        if 'book' in request.form:
            Booking.confirm([access.create(booking)])
            flash(text('booked'))
            return redirect(url_for('use.bookings'))
    return render_template(
        'resource.html', resource=resource, form=form, booking=booking,
        days=resource.taken_by_day(first, DAYS),
        before=first - DAYS * DAY, after=first + DAYS * DAY)


def _day(resource):
    "Return the first day to be shown"
    try:
        return dt.date.fromisoformat(request.args.get('day', ''))
    except ValueError:
        return resource.today


@blueprint.route('/bookings')
@page(part='use')
def bookings():
    return render_template(
        'bookings.html', bookings=access.find(BOOKING), series=access.find(
            'coop.commons.series', [('state', '=', 'confirmed')]))


@blueprint.route('/bookings/<int:id_>', methods=['GET', 'POST'])
@page(part='use')
def booking(id_):
    booking = access.get(BOOKING, id_)
    form = Form()
    if form.accepted:
        booking.__class__.cancel([booking])
        flash(text('cancelled'))
        return redirect(url_for('use.bookings'))
    return render_template('booking.html', booking=booking, form=form)
