# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.wizard import Button, StateTransition, StateView


class ClearStart(ModelView):
    __name__ = 'coop.commons.booking.clear.start'
    __string__ = "Cancel or Move Bookings"

    company = fields.Many2One('company.company', "Company", readonly=True)
    bookings = fields.Many2Many(
        'coop.commons.booking', None, None, "Bookings", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ('state', '=', 'confirmed'),
            ],
        help="The bookings that can not stay.")
    action = fields.Selection([
            ('cancel', "Cancel"),
            ('move', "Move"),
            ], "Action", required=True, sort=False,
        help="Cancel: nobody owes a fee.\n"
        "Move: the same time on another resource, if its rules allow it.")
    resource = fields.Many2One(
        'coop.commons.resource', "Resource",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('bookable', '=', True),
            ],
        states={
            'invisible': Eval('action') != 'move',
            'required': Eval('action') == 'move',
            },
        help="Where the bookings go.")

    @classmethod
    def default_action(cls):
        return 'cancel'


class Clear(CheckedWizard):
    __name__ = 'coop.commons.booking.clear'
    __string__ = "Cancel or Move Bookings"
    _record_models = {
        'coop.commons.blackout', 'coop.commons.booking',
        'coop.commons.resource'}
    start = StateView(
        'coop.commons.booking.clear.start',
        'coop_commons.booking_clear_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("OK", 'clear', 'tryton-ok', default=True),
            ])
    clear = StateTransition()

    def default_start(self, fields):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        if self.model.__name__ == 'coop.commons.resource':
            # All that is to come, if it is about to be closed
            bookings = Booking.find_hit(self.records) or Booking.find_hit(
                self.records, is_hit=lambda b: True)
        elif self.model.__name__ == 'coop.commons.blackout':
            bookings = [b for r in self.records for b in r.find_hit()]
        else:
            bookings = self.records
        return {
            'company': self.records[0].company.id,
            'bookings': [b.id for b in bookings if b.state == 'confirmed'],
            }

    def transition_clear(self):
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        bookings = Booking.browse(self.start.bookings)
        if self.start.action == 'move':
            Booking.move(bookings, self.start.resource)
        else:
            Booking.call_off(bookings)
        return 'end'
