# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelStorage, ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.modules.coop_membership.document import full_name
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction
from trytond.wizard import Button, StateView

from .check import get_differences
from .check_questions import get_questions
from .readable import get_readable, may_read


class CheckStart(ModelView):
    __name__ = 'coop.check.start'
    __string__ = "Check Books"

    company = fields.Many2One('company.company', "Company", required=True)
    date = fields.Date("Date", required=True,
        help="The day at the end of which ledgers and accounts are compared.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()


class CheckResult(ModelView):
    __name__ = 'coop.check.result'
    __string__ = "Check Books"

    company = fields.Many2One('company.company', "Company", readonly=True)
    date = fields.Date("Date", readonly=True)
    summary = fields.Char("Summary", readonly=True)
    differences = fields.One2Many(
        'coop.check.difference', None, "Differences", readonly=True,
        states={
            'invisible': ~Eval('differences', []),
            })
    questions = fields.One2Many(
        'coop.check.difference', None, "Questions", readonly=True,
        states={
            'invisible': ~Eval('questions', []),
            },
        help="What only who knows the cooperative can tell: "
        "the books may be in order.")


class CheckDifference(ModelView):
    __name__ = 'coop.check.difference'
    __string__ = "Difference"

    kind = fields.Selection([
            ('error', "Error"),
            ('timing', "Timing"),
            ('pending', "Pending"),
            ('setup', "Setup"),
            ('question', "Question"),
            ], "Kind", readonly=True, sort=False,
        help="Error: the ledger and the books do not agree.\n"
        "Timing: they will, because the move is dated in a later period.\n"
        "Pending: a document is not brought to its end.\n"
        "Setup: a sequence or an account is not fit for the next document.\n"
        "Question: only who knows the cooperative can tell.")
    record_name = fields.Char("Record", readonly=True)
    record = fields.Reference(
        "Open", selection='get_models', readonly=True,
        help="The record, for those who may read it.")
    description = fields.Char("Description", readonly=True)
    party = fields.Many2One('party.party', "Party", readonly=True)
    expected = Monetary(
        "Expected", currency='currency', digits='currency', readonly=True,
        help="What the ledger of the cooperative says.")
    found = Monetary(
        "Found", currency='currency', digits='currency', readonly=True,
        help="What the account says.")
    difference = Monetary(
        "Difference", currency='currency', digits='currency', readonly=True)
    currency = fields.Many2One('currency.currency', "Currency", readonly=True)

    @classmethod
    def get_models(cls):
        Model = Pool().get('ir.model')
        # Who may not read one of the models would lose the field
        return [(None, ''), *(
                (name, string)
                for name, string in Model.get_name_items(ModelStorage)
                if may_read(name))]

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/tree', 'visual', 'danger', {'kind': 'error'}),
            ]


class Check(CheckedWizard):
    __name__ = 'coop.check'
    __string__ = "Check Books"
    start = StateView('coop.check.start', 'coop.check_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Check", 'result', 'tryton-ok', default=True),
            ])
    result = StateView('coop.check.result', 'coop.check_result_view_form', [
            Button("Back", 'start', 'tryton-back'),
            Button("Close", 'end', 'tryton-close', default=True),
            ])

    def default_start(self, fields):
        if getattr(self.start, 'company', None):
            return {
                'company': self.start.company.id,
                'date': self.start.date,
                }
        return {}

    def default_result(self, fields):
        company, date = self.start.company, self.start.date
        differences = get_differences(company, date)
        questions = list(get_questions(company, date))
        readable = get_readable(
            {d.record for d in [*differences, *questions]})
        errors = len([d for d in differences if d.kind == 'error'])
        if not differences:
            summary = gettext('coop.msg_check_good')
        elif errors:
            summary = gettext('coop.msg_check_errors', count=errors)
        else:
            summary = gettext('coop.msg_check_no_error')
        return {
            'company': company.id,
            'date': date,
            'summary': summary,
            'differences': [
                self.get_values(difference, company.currency, readable)
                for difference in differences],
            'questions': [
                self.get_values(question, company.currency, readable)
                for question in questions],
            }

    def get_values(self, difference, currency, readable):
        amounts = [difference.expected, difference.found]
        return {
            'kind': difference.kind,
            'record_name': full_name(difference.record),
            'record': (
                str(difference.record) if difference.record in readable
                else None),
            'description': difference.description,
            'party': difference.party.id if difference.party else None,
            'expected': difference.expected,
            'found': difference.found,
            'difference': (
                difference.found - difference.expected
                if None not in amounts else None),
            'currency': currency.id,
            }
