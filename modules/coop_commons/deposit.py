# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.agreement import BooksMixin
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.transaction import Transaction

from .deposit_posting import DepositPosting
from .digits import not_negative
from .exceptions import DepositError


class Deposit(
        DepositPosting, DocumentMixin, BooksMixin, Workflow, ModelSQL,
        ModelView):
    __name__ = 'coop.commons.deposit'
    __string__ = "Deposit"
    _steps = {
        'cancel': (['draft', 'taken'], 'cancelled'),
        'take': (['draft'], 'taken'),
        'give_back': (['taken'], 'returned'),
        }
    _work = (('draft', 'bill', 'date'),)
    _search_names = ('resource.rec_name', 'party.rec_name')
    _modify_states = {'taken': {'kept', 'kept_reason', 'return_date'}}
    _date_order = (('date', 'return_date', 'coop_commons.msg_deposit_dates'),)

    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="The member or non-member who gives the deposit.")
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="What the deposit is given for.")
    booking = fields.Many2One(
        'coop.commons.booking', "Booking", readonly=True,
        ondelete='SET NULL',
        states={
            'invisible': ~Eval('booking'),
            },
        help="The booking that asked for the deposit. It holds for the others "
        "of the party and the resource, too.")
    contract = fields.Many2One(
        'coop.commons.contract', "Contract", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('contract'),
            },
        help="The contract that asked for the deposit.")
    date = fields.Date(
        "Date", required=True,
        help="The date of the invoice that asks for the deposit.")
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        domain=[
            ('amount', '>', 0),
            ])
    account = fields.Many2One(
        'account.account', "Account", readonly=True, ondelete='RESTRICT',
        help="The account of what the cooperative owes for deposits.")
    invoice_line = fields.Many2One(
        'account.invoice.line', "Invoice Line", readonly=True,
        ondelete='RESTRICT',
        states={
            'invisible': ~Eval('invoice_line'),
            })
    kept = Monetary(
        "Kept", currency='currency', digits='currency',
        domain=[
            ['OR',
                ('kept', '=', None),
                [
                    ('kept', '>=', 0),
                    If(Bool(Eval('amount')),
                        ('kept', '<=', Eval('amount', 0)), ()),
                    ],
                ],
            ],
        states={
            'invisible': Eval('state') == 'draft',
            },
        help="The part that is not given back, as for a damage.")
    kept_reason = fields.Char(
        "Reason",
        states={
            'required': Bool(Eval('kept')),
            'invisible': Eval('state') == 'draft',
            },
        help="Why it is kept.")
    return_date = fields.Date(
        "Given Back on",
        states={
            'required': Eval('state') == 'returned',
            'invisible': Eval('state').in_(['draft', 'cancelled']),
            },
        help="Leave empty for today.")
    moves = fields.Function(fields.Many2Many(
            'account.move', None, None, "Moves",
            states={
                'invisible': Eval('state') != 'returned',
                },
            help="How it was given back, kept or set off."),
        'get_moves')
    state = fields.Selection([
            ('draft', "Draft"),
            ('taken', "Taken"),
            ('returned', "Given Back"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('amount_positive', Check(t, t.amount > 0),
                'coop_commons.msg_deposit_amount_positive'),
            ('kept_not_negative', not_negative(t, 'kept'),
                'coop_commons.msg_not_negative'),
            ('kept_amount', Check(t,
                    # A difference is a number on SQLite, too
                    (t.kept == Null) | (t.amount - t.kept >= 0)),
                'coop_commons.msg_deposit_kept'),
            ]
        cls._order = [('date', 'DESC'), ('id', 'DESC')]

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @fields.depends('resource', '_parent_resource.deposit', 'amount')
    def on_change_resource(self):
        if self.resource and not self.amount:
            self.amount = self.resource.deposit

    @classmethod
    def get_moves(cls, deposits, name):
        Move = Pool().get('account.move')
        moves = {d.id: [] for d in deposits}
        for move in Move.search([
                    ('origin', 'in', [str(d) for d in deposits]),
                    ], order=[('id', 'ASC')]):
            moves[move.origin.id].append(move.id)
        return moves

    def get_rec_name(self, name):
        return '%s @ %s' % (self.party.rec_name, self.resource.rec_name)

    @property
    def is_held(self):
        return self.state == 'taken'

    @property
    def paid(self):
        if self.invoice_line:
            invoice = self.invoice_line.invoice
            return invoice.state == 'paid' and not invoice.is_waived
        return False

    @classmethod
    def find(cls, booking):
        "Return the deposit that holds for the booking"
        if not booking.payer:
            return
        deposits = cls.search([
                ('company', '=', booking.company.id),
                ('party', '=', booking.payer.id),
                ('resource', '=', booking.resource.id),
                ('contract', '=', None),
                ('state', 'in', ['draft', 'taken']),
                ], order=[('id', 'ASC')], limit=1)
        if deposits:
            return deposits[0]

    @classmethod
    def ask_bookings(cls, bookings):
        """Ask for the deposits of the bookings

        Who has given one for the resource gives no other.
        """
        for booking in bookings:
            amount = booking.resource.deposit
            if amount and booking.payer and not cls.find(booking):
                cls._ask(
                    booking, booking.payer, amount, booking=booking).save()

    @classmethod
    def ask_contracts(cls, contracts):
        "Ask for the deposits of the contracts"
        deposits = []
        for contract in contracts:
            if contract.deposit and not cls.search([
                        ('contract', '=', contract.id),
                        ('state', '!=', 'cancelled'),
                        ], limit=1, order=[]):
                deposits.append(cls._ask(
                        contract, contract.member.party, contract.deposit,
                        contract=contract))
        cls.save(deposits)

    @classmethod
    def _ask(cls, document, party, amount, **values):
        with Transaction().set_context(company=document.company.id):
            today = Pool().get('ir.date').today()
        return cls(
            company=document.company, party=party,
            resource=document.resource, date=today, amount=amount, **values)

    @classmethod
    def drop_bookings(cls, bookings):
        "Ask no more for what bookings that are cancelled asked for"
        cls.drop_unneeded([cls.find(b) for b in bookings], bookings)

    @classmethod
    def drop_unneeded(cls, deposits, bookings=()):
        "Ask no more for what only the bookings have asked for"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        to_cancel = []
        for deposit in set(filter(None, deposits)):
            if deposit.state == 'draft' and deposit.booking and not (
                    Booking.search([
                            ('id', 'not in', [b.id for b in bookings]),
                            ('resource', '=', deposit.resource.id),
                            ['OR',
                                ('party', '=', deposit.party.id),
                                ('member.party', '=', deposit.party.id),
                                ],
                            ('state', 'in', ['confirmed', 'running']),
                            ], limit=1, order=[])):
                to_cancel.append(deposit)
        cls.cancel(to_cancel)

    @classmethod
    def drop_contracts(cls, contracts):
        "Ask no more for what contracts that do not hold asked for"
        cls.cancel(cls.search([
                    ('contract', 'in', [c.id for c in contracts]),
                    ('state', '=', 'draft'),
                    ]))

    @classmethod
    @ModelView.button
    @Workflow.transition('taken')
    def take(cls, deposits):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')
        invoices, lines = [], []
        for deposit in deposits:
            deposit.account = deposit.get_account('deposit_account')
            invoice = deposit.get_invoice()
            invoices.append(invoice)
            lines.append(deposit.get_invoice_line(invoice))
        Invoice.save(invoices)
        InvoiceLine.save(lines)
        Invoice.update_taxes(invoices)
        by_deposit = {line.origin: line for line in lines}
        for deposit in deposits:
            deposit.invoice_line = by_deposit[deposit]
        cls.save(deposits)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, deposits):
        pool = Pool()
        Invoice = pool.get('account.invoice')
        claim(deposits)
        invoices = []
        for deposit in deposits:
            if not deposit.invoice_line:
                continue
            invoice = deposit.invoice_line.invoice
            if invoice.state not in {'draft', 'cancelled'}:
                raise DepositError(gettext(
                        'coop_commons.msg_deposit_cancel',
                        deposit=deposit.rec_name, invoice=invoice.rec_name))
            if invoice.state == 'draft':
                invoices.append(invoice)
                deposit.invoice_line = None
        cls.save(deposits)
        Invoice.delete(invoices)

    @classmethod
    @ModelView.button
    @Workflow.transition('returned')
    def give_back(cls, deposits):
        """Give back what is not kept

        What is open of the party is paid of it first.
        """
        claim(deposits)
        for deposit in deposits:
            if deposit.invoice_line.invoice.state not in {'posted', 'paid'}:
                raise DepositError(gettext(
                        'coop_commons.msg_deposit_not_posted',
                        deposit=deposit.rec_name,
                        invoice=deposit.invoice_line.invoice.rec_name))
            if deposit.invoice_line.invoice.is_waived:
                raise DepositError(gettext(
                        'coop_commons.msg_advance_waived',
                        document=deposit.rec_name,
                        invoice=deposit.invoice_line.invoice.rec_name))
            deposit.post_return()
        cls.save(deposits)
