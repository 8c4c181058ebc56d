# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import fields
from trytond.model.exceptions import AccessError
from trytond.pyson import Bool, Eval

from .for_user import USER

# What all of the resources are booked with
SHARED = {*USER, 'person', 'start', 'end', 'purpose'}


class BookingTogether:
    """Several resources that are booked together, all of them or none

    Each is a booking of its own, with its use and its price; those of the
    others name the first.
    """
    __slots__ = ()
    _not_copied = frozenset(['together'])

    together = fields.Many2One(
        'coop.commons.booking', "Together with", ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('together', '=', None),
            ('id', '!=', Eval('id', -1)),
            ],
        states={
            'invisible': ~Eval('together'),
            },
        help="The booking with which it is confirmed, moved and cancelled.")
    others = fields.One2Many(
        'coop.commons.booking', 'together', "Together",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('together')),
            },
        help="The other resources that are booked with it: all of them or "
        "none.")

    @fields.depends(
        'together', *(f'_parent_together.{n}' for n in sorted(SHARED)))
    def on_change_together(self):
        if self.together:
            for name in SHARED:
                setattr(self, name, getattr(self.together, name, None))

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if mode == 'create' and values.get('together'):
            first = cls(values['together'])
            for name in SHARED:
                value = getattr(first, name)
                values[name] = getattr(value, 'id', value)
        return values

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if (self.together and self.state == 'request'
                and (field_names is None
                    or field_names & {'together', *SHARED})):
            for name in SHARED:
                value = getattr(self.together, name)
                if getattr(self, name) != value:
                    values[name] = getattr(value, 'id', value)
        return values

    @classmethod
    def check_modification(cls, mode, bookings, values=None, external=False):
        super().check_modification(
            mode, bookings, values=values, external=external)
        if external and mode == 'create':
            cls._check_joined({b.together for b in bookings})
        elif external and mode == 'write' and values.get('together'):
            cls._check_joined({cls(values['together'])})
            for booking in bookings:
                if booking.others:
                    cls._refuse_together(booking)

    @classmethod
    def _check_joined(cls, bookings):
        "Check that others can still be booked together with the bookings"
        for booking in bookings - {None}:
            if booking.state != 'request' or booking.together:
                cls._refuse_together(booking)
            cls.check_own([booking])

    @classmethod
    def _refuse_together(cls, booking):
        raise AccessError(gettext(
                'coop_commons.msg_booking_together',
                booking=booking.rec_name))

    @classmethod
    def on_modification(cls, mode, bookings, field_names=None):
        super().on_modification(mode, bookings, field_names=field_names)
        if mode == 'write' and field_names & SHARED:
            others = [
                o for b in bookings for o in b.others
                if o.state == 'request']
            for other in others:
                for name in SHARED:
                    setattr(other, name, getattr(other.together, name))
            cls.save(others)

    @classmethod
    def all_together(cls, bookings):
        "Return the bookings with those that go with them"
        firsts = dict.fromkeys(b.together or b for b in bookings)
        found = dict.fromkeys(
            b for first in firsts for b in [first, *first.others])
        return cls.browse(list(dict.fromkeys([*bookings, *found])))
