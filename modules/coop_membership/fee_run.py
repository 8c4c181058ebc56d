# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from sql import Null

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Workflow, fields
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, inactive_records

from .books import SLICE, save_records
from .date import format_date
from .exceptions import FeeError
from .member_fee import NOTHING
from .run import ComputedMixin


class FeeRun(ComputedMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.fee.run'
    __string__ = "Membership Fee Run"
    _steps = {
        'draft': (['computed'], 'draft'),
        'compute': (['draft'], 'computed'),
        'invoice': (['computed'], 'invoiced'),
        }
    _search_names = ('lines.member.rec_name',)
    _work = (('computed', 'post', 'date'),)
    _date_order = (('start', 'date', 'coop_membership.msg_fee_run_dates'),)

    start = fields.Date(
        "From",
        help="The first day on which the periods begin.\n"
        "Leave empty for all that are not invoiced yet.")
    date = fields.Date(
        "To", required=True,
        help="The last day on which the periods begin.")
    invoice_date = fields.Date(
        "Invoice Date",
        help="The date of the invoices.\n"
        "Leave empty for the day on which they are posted.")
    categories = fields.Many2Many(
        'coop.member.fee.run-coop.member.category', 'run', 'category',
        "Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Leave empty for all categories.")
    lines = fields.One2Many(
        'coop.member.fee', 'run', "Fees", readonly=True)
    amount = fields.Function(
        Monetary("Amount", currency='currency', digits='currency'),
        'get_amount')
    problems = fields.Text(
        "Problems", readonly=True,
        states={
            'invisible': ~Eval('problems'),
            },
        help="Who can not be invoiced.")
    invoiced_by = employee_field("Invoiced by", states=['invoiced'])
    state = fields.Selection([
            ('draft', "Draft"),
            ('computed', "Computed"),
            ('invoiced', "Invoiced"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [('date', 'DESC'), ('id', 'DESC')]

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    def get_rec_name(self, name):
        return format_date(self.date)

    def get_amount(self, name):
        return sum((l.amount for l in self.lines), self.currency.round(0))

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, runs):
        # Two runs must not find the same
        cls.lock()
        for run in runs:
            run.problems = None
            save_records(run.get_lines())
        cls.save(runs)

    def get_lines(self):
        "Return the unsaved lines of what is due and not invoiced"
        pool = Pool()
        CategoryFee = pool.get('coop.member.category.fee')
        Line = pool.get('coop.member.fee')
        domain = [
            ('category.company', '=', self.company.id),
            ('start_date', '<=', self.date),
            ]
        if self.categories:
            domain.append(
                ('category', 'in', [c.id for c in self.categories]))
        with inactive_records():
            fees = CategoryFee.search(
                domain, order=[('category', 'ASC'), ('id', 'ASC')])
        lines = []
        for fee in fees:
            periods = list(fee.periods(self.start, self.date))
            if not periods:
                continue
            invoiced = Line.invoiced(fee, periods[0][0])
            memberships = self._get_memberships(
                fee, periods[0][0], periods[-1][1])
            members = sorted(memberships.keys() | {m for m, _ in invoiced})
            for start, end in periods:
                for member in members:
                    amount = fee.owed(
                        memberships.get(member, []), start, end,
                        invoiced.get((member, start), NOTHING))
                    if amount:
                        lines.append(Line(
                                run=self, fee=fee, member=member,
                                start_date=start, end_date=end,
                                amount=amount))
        return self._leave_out(lines)

    @classmethod
    def _get_memberships(cls, fee, start, end):
        """Return by member the memberships of the category on the days

        As first and last day, and first and last day of the stay.
        """
        Membership = Pool().get('coop.membership')
        table = Membership.__table__()
        cursor = Transaction().connection.cursor()
        cursor.execute(*table.select(
                table.member, table.start_date, table.end_date,
                table.admission_date, table.exit_date,
                where=(table.category == fee.category.id)
                & (table.start_date <= end)
                & ((table.end_date == Null) | (table.end_date >= start))))
        memberships = defaultdict(list)
        for member, *dates in cursor:
            memberships[member].append(dates)
        return memberships

    def _leave_out(self, lines):
        "Return the lines without those that no invoice can be sent to"
        pool = Pool()
        Member = pool.get('coop.member')
        problems, left_out = [], set()
        with Transaction().set_context(company=self.company.id):
            for sub_members in grouped_slice(
                    sorted({l.member.id for l in lines}), SLICE):
                for member in Member.browse(list(sub_members)):
                    if not member.party.address_get(type='invoice'):
                        left_out.add(member.id)
                        problems.append(gettext(
                                'coop_membership.msg_fee_run_address',
                                member=member.rec_name))
        self.problems = '\n'.join(problems) or None
        return [l for l in lines if l.member.id not in left_out]

    @classmethod
    def refusals_draft(cls, runs):
        return {
            r: gettext(
                'coop_membership.msg_fee_run_draft_invoice', run=r.rec_name)
            for r in runs if any(l.invoice_line for l in r.lines)}

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, runs):
        cls.check_step('draft', runs, error=FeeError)
        super().draft(runs)
        cls.write(runs, {'problems': None})

    @classmethod
    @ModelView.button
    @Workflow.transition('invoiced')
    @set_employee('invoiced_by')
    def invoice(cls, runs):
        cls.lock(runs)
        for run in runs:
            run.create_invoices()

    def create_invoices(self):
        "Create a draft invoice for each member who has none of the run yet"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        Line = pool.get('coop.member.fee')
        lines = defaultdict(list)
        for line in Line.search([
                    ('run', '=', self.id),
                    ('invoice_line', '=', None),
                    ], order=[('member', 'ASC'), ('start_date', 'ASC'),
                    ('id', 'ASC')]):
            lines[line.member].append(line)
        for members in grouped_slice(lines, SLICE):
            invoices, invoice_lines, paid = [], [], []
            for member in members:
                invoice = self.get_invoice(member)
                invoices.append(invoice)
                lang = member.party.lang
                # What it says is in the language of the member, the account
                # and the taxes are of the company
                with Transaction().set_context(
                        company=self.company.id,
                        language=lang.code if lang else
                        Transaction().language):
                    for line in Line.browse(lines[member]):
                        line.invoice_line = line.get_invoice_line(invoice)
                        invoice_lines.append(line.invoice_line)
                        paid.append(line)
            Invoice.save(invoices)
            InvoiceLine.save(invoice_lines)
            Invoice.update_taxes(Invoice.browse(invoices))
            Line.save(paid)

    def get_invoice(self, member):
        "Return an unsaved invoice of the member"
        pool = Pool()
        Configuration = pool.get('account.configuration')
        Invoice = pool.get('account.invoice')
        Party = pool.get('party.party')
        with Transaction().set_context(company=self.company.id):
            invoice = Invoice(
                company=self.company, type='out',
                party=Party(member.party.id),
                currency=self.company.currency,
                invoice_date=self.invoice_date)
            invoice.on_change_type()
        if not invoice.payment_term:
            # The party may be older than the configuration
            invoice.payment_term = Configuration(1).get_multivalue(
                'default_customer_payment_term', company=self.company.id)
        return invoice
