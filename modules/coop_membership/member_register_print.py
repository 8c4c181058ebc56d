# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction
from trytond.wizard import Button, StateReport, StateView

from .checked_wizard import CheckedWizard


class PrintRegister(CheckedWizard):
    __name__ = 'coop.member.register.print'
    __string__ = "Print Member Register"

    start = StateView(
        'coop.member.register.print.start',
        'coop_membership.register_print_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Print", 'print_', 'tryton-print', default=True),
            ])
    print_ = StateReport('coop.member.register')

    def do_print_(self, action):
        category = self.start.category
        return action, {
            'company': self.start.company.id,
            'date': self.start.date,
            'category': category.id if category else None,
            'with_left': self.start.with_left,
            'columns': self.start.columns,
            }


class PrintRegisterStart(ModelView):
    __name__ = 'coop.member.register.print.start'
    __string__ = "Print Member Register"

    company = fields.Many2One('company.company', "Company", required=True)
    date = fields.Date("Date", required=True)
    category = fields.Many2One(
        'coop.member.category', "Category",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Leave empty for all the categories.")
    with_left = fields.Boolean("With Left",
        help="Check to include the members who left before the date.")
    columns = fields.Selection('get_columns', "Columns", required=True,
        sort=False)

    @classmethod
    def get_columns(cls):
        Configuration = Pool().get('coop.membership.configuration')
        return Configuration.fields_get(
            ['register_columns'])['register_columns']['selection']

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_columns(cls):
        Configuration = Pool().get('coop.membership.configuration')
        return Configuration(1).get_multivalue('register_columns')
