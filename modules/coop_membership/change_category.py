# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.i18n import gettext
from trytond.model import ModelView, fields
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.wizard import Button, StateTransition, StateView

from .checked_wizard import CheckedWizard
from .date import format_date
from .exceptions import AdmissionError, CategoryChangeError


class ChangeCategoryMixin:
    "Let members continue in another category"
    __slots__ = ()

    @classmethod
    @ModelView.button_action('coop_membership.wizard_change_category')
    def change_category(cls, members):
        pass

    @classmethod
    def set_category(cls, members, category, date):
        "Change the category of the members from the date"
        pool = Pool()
        Membership = pool.get('coop.membership')
        to_close, to_open = [], []
        for member in members:
            membership = member.memberships[-1] if member.memberships else None
            if member.state != 'member' or membership.end_date:
                raise CategoryChangeError(gettext(
                        'coop_membership.msg_member_change_category_state',
                        member=member.rec_name))
            elif membership.category == category:
                raise CategoryChangeError(gettext(
                        'coop_membership.msg_member_change_category_same',
                        member=member.rec_name,
                        category=category.rec_name))
            elif membership.start_date >= date:
                raise CategoryChangeError(gettext(
                        'coop_membership.msg_member_change_category_date',
                        member=member.rec_name,
                        date=format_date(date),
                        start_date=format_date(membership.start_date)))
            membership.end_date = date - dt.timedelta(days=1)
            to_close.append(membership)
            to_open.append(Membership(
                    member=member, category=category, start_date=date))
            if text := to_open[-1].refuse_age():
                raise AdmissionError(text)
        Membership.save(to_close)
        Membership.save(to_open)


class ChangeCategory(CheckedWizard):
    __name__ = 'coop.member.change_category'
    __string__ = "Change Category"

    start = StateView(
        'coop.member.change_category.start',
        'coop_membership.member_change_category_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Change", 'change', 'tryton-ok', default=True),
            ])
    change = StateTransition()

    def default_start(self, fields):
        return {
            'company': self.record.company.id,
            }

    def transition_change(self):
        self.model.set_category(
            [r for r in self.records if r.company == self.start.company],
            self.start.category, self.start.date)
        return 'end'


class ChangeCategoryStart(ModelView):
    __name__ = 'coop.member.change_category.start'
    __string__ = "Change Category"

    company = fields.Many2One(
        'company.company', "Company", required=True, readonly=True)
    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    date = fields.Date("Date", required=True,
        help="The first day in the category.")

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()
