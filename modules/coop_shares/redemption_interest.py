# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from fractions import Fraction

from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.modules.coop_membership.books import SLICE, Books, save_records
from trytond.modules.coop_membership.document import LedgerMixin, SearchMixin
from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice

from .debt import get_open_lines
from .document import lock_members
from .interest import fill, simple_interest
from .tax import STANDARD, withhold


class RedemptionInterest:
    "The interest on what of a redemption is not paid"
    __slots__ = ()

    interests = fields.One2Many(
        'coop.share.redemption.interest', 'redemption', "Interest",
        readonly=True,
        states={
            'invisible': ~Eval('interests', [0]),
            })
    interest_complete = fields.Boolean("Interest Complete", readonly=True,
        states={
            'invisible': ~Eval('interests', [0]),
            },
        help="Checked once all is paid and its interest is posted.")

    @classmethod
    def default_interest_complete(cls):
        return False

    @classmethod
    def accrue_interest(cls, company, date):
        """Post the interest until the date that is not posted yet

        Return the rows that tell how much it is.
        """
        Interest = Pool().get('coop.share.redemption.interest')
        redemptions = cls.search([
                ('company', '=', company.id),
                ('state', 'in', ['settled', 'paid']),
                ('settlement_date', '<=', date),
                ('interest_complete', '!=', True),
                ('share_class.interest_rates', '!=', None),
                ])
        rows = []
        for sub_redemptions in grouped_slice(redemptions, SLICE):
            sub_redemptions = list(sub_redemptions)
            lock_members(r.member for r in sub_redemptions)
            rows.extend(cls._accrue(
                    cls.browse(sub_redemptions), Books(company), date))
        return Interest.browse(rows)

    @classmethod
    def _accrue(cls, redemptions, books, date):
        Interest = Pool().get('coop.share.redemption.interest')
        principal = cls._get_principal(redemptions)
        rows, complete = [], []
        for redemption in redemptions:
            parts = principal[redemption]
            due = half_up(
                sum(simple_interest(*part, date, redemption.interest_table)
                    for part in parts),
                redemption.currency.rounding)
            due -= sum(r.amount for r in redemption.interests)
            last = max((r.date for r in redemption.interests), default=None)
            # What was posted too much is taken off the next one
            if due > 0 and (not last or last < date):
                rows.append(Interest(
                        redemption=redemption, date=date, amount=due))
            if redemption.state == 'paid' and all(
                    day <= date
                    for _, payments, _ in parts for day, _ in payments):
                complete.append(redemption)
        Interest.set_tax(rows, books.company, date)
        for row in rows:
            row.account_move = row.get_move(books)
        Books.post([r.account_move for r in rows])
        save_records(rows)
        cls.set_settled([
                r.redemption for r in rows if r.redemption.state == 'paid'])
        cls.write(complete, {'interest_complete': True})
        return rows

    @classmethod
    def _get_principal(cls, redemptions):
        """Return by redemption what of it bears interest

        As lists of the amount, the dates and amounts of what paid it and the
        day from which on it bears it.
        """
        shares = cls._get_shares(redemptions, interest=False)
        paid = cls._get_payments({l for ls in shares.values() for l in ls})
        return {
            redemption: [
                (share * Fraction(line.credit),
                    [(day, share * Fraction(a)) for day, a in paid[line]],
                    redemption.end_date if redemption.payment_term
                    else line.maturity_date or line.date)
                for line, share in lines.items()]
            for redemption, lines in shares.items()}

    @classmethod
    def _get_shares(cls, redemptions, interest=True):
        """Return by redemption the lines to pay and which part of them is its

        What is put together with others is of each as it has claimed it.
        """
        standing = cls._standing(redemptions)
        claims = cls._get_claims({l for ls in standing.values() for l in ls})
        shares = {}
        for redemption, lines in standing.items():
            own = set()
            if not interest:
                own = {r.account_move for r in redemption.interests}
            shares[redemption] = {}
            for line in lines:
                claimed = sum(
                    c.credit for c in claims[line]
                    if c.origin == redemption and c.move not in own)
                if claimed:
                    shares[redemption][line] = Fraction(claimed) / Fraction(
                        sum(c.credit for c in claims[line]))
        return shares

    @classmethod
    def _get_payments(cls, lines):
        "Return by line to pay the dates and amounts of what has paid it"
        groups = defaultdict(set)
        open_ = get_open_lines([l for l in lines if not l.reconciliation])
        for line in lines:
            if line.reconciliation:
                groups[line.account, line.party, line.reconciliation] = (
                    line.reconciliation.lines)
            else:
                groups[line.account, line.party, None] = open_[
                    line.party, line.account]
        payments = defaultdict(list)
        for (account, party, _), group in groups.items():
            group = [
                l for l in group if l.account == account and l.party == party]
            payments.update(fill(
                    [(l, l.credit) for l in sorted(
                            group,
                            key=lambda l: (l.maturity_date or l.date, l.id))
                        if l.credit],
                    [(l.date, l.debit) for l in sorted(
                            group, key=lambda l: (l.date, l.id))
                        if l.debit]))
        return payments

    @classmethod
    def owed_at(cls, redemptions, date):
        "Return by redemption when how much is to be paid, as of the date"
        shares = cls._get_shares(redemptions)
        for redemption, lines in shares.items():
            if not any(line.date <= date for line in lines):
                # It was settled or rescheduled later
                shares[redemption] = {
                    line: 1 for line in redemption.claimed_at(date)}
        paid = cls._get_payments({l for ls in shares.values() for l in ls})
        return {
            redemption: [
                (line.maturity_date or line.date, half_up(
                        share * Fraction(amount),
                        redemption.currency.rounding))
                for line, share in lines.items() if line.date <= date
                for amount in [line.credit - sum(
                        part for day, part in paid[line] if day <= date)]
                if amount > 0]
            for redemption, lines in shares.items()}

    def claimed_at(self, date):
        "Return the lines in which the claim stood on the date"
        lines = [
            line for move in [self.settle_move, self.move] if move
            for line in move.lines
            if line.origin == self and line.date <= date]
        return [l for l in lines if l.move == lines[0].move]

    @property
    def interest_table(self):
        return [
            (r.start_date, r.rate) for r in self.share_class.interest_rates]

    def next_maturity(self, date):
        "Return the day on which the next instalment after the date is due"
        return min((
                l.maturity_date for l in self.payable_lines
                if l.maturity_date and l.maturity_date >= date
                and not l.reconciliation), default=date)


class Interest(SearchMixin, LedgerMixin, ModelSQL, ModelView):
    __name__ = 'coop.share.redemption.interest'
    __string__ = "Redemption Interest"
    _search_names = ('redemption.rec_name',)
    _subject = 'redemption'

    redemption = fields.Many2One(
        'coop.share.redemption', "Redemption", required=True, readonly=True,
        ondelete='RESTRICT')
    date = fields.Date("Date", required=True, readonly=True,
        help="The day until which the interest is counted.")
    amount = Monetary(
        "Interest", currency='currency', digits='currency', required=True,
        readonly=True)
    withholding = Monetary(
        "Withholding", currency='currency', digits='currency', required=True,
        readonly=True)
    church_tax = Monetary(
        "Church Tax", currency='currency', digits='currency', readonly=True,
        help="What of the withholding is church tax.")
    exempt = Monetary(
        "Exempt", currency='currency', digits='currency', readonly=True,
        help="What of the interest the exemption of the member takes.")
    net = fields.Function(Monetary(
            "Net", currency='currency', digits='currency'),
        'on_change_with_net')
    account_move = fields.Many2One(
        'account.move', "Account Move", required=True, readonly=True,
        ondelete='RESTRICT')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('redemption')
        cls._sql_constraints += [
            ('date_unique', Unique(t, t.redemption, t.date),
                'coop_shares.msg_redemption_interest_unique'),
            ]
        cls._order = [
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]

    @fields.depends('amount', 'withholding')
    def on_change_with_net(self, name=None):
        return (self.amount or 0) - (self.withholding or 0)

    @fields.depends('redemption', '_parent_redemption.currency')
    def on_change_with_currency(self, name=None):
        return self.redemption.currency if self.redemption else None

    @classmethod
    def set_tax(cls, rows, company, date):
        "Set what is withheld from the rows, which are of the date"
        Withholding = Pool().get('coop.withholding')
        terms, exempted = {}, {}
        if any(r.share_class.interest_withholding_rate for r in rows):
            terms = Withholding.in_force(company, date)
        if terms:
            exempted = Withholding.exempted(company, date)
        for row in rows:
            rate = row.share_class.interest_withholding_rate
            party = row.redemption.member.party.id
            tax = withhold(
                row.amount, rate or 0, company.currency.rounding,
                terms=terms.get(party, STANDARD) if rate else STANDARD,
                exempted=exempted.get(party, 0))
            row.withholding = tax.tax
            row.church_tax = tax.church_tax or None
            row.exempt = tax.exempt or None
            if tax.exempt:
                exempted[party] += tax.exempt

    @property
    def share_class(self):
        return self.redemption.share_class

    def get_move(self, books):
        "Return the unsaved move of the interest, due with an instalment"
        Withholding = Pool().get('coop.withholding')
        redemption = self.redemption
        class_ = redemption.share_class
        lines = [books.line(class_.get_account('interest'), self.amount)]
        if self.withholding:
            account = None
            if Withholding.needs_account(books.company):
                account = class_.get_account('interest_withholding')
            lines.append(Withholding.get_line(
                    books, account, self.withholding, self.date))
        net = self.amount - self.withholding
        if net:
            lines.append(books.line(
                    class_.get_account('redemption'), -net,
                    party=redemption.member.party, origin=redemption,
                    maturity_date=redemption.next_maturity(self.date)))
        return books.move(self.date, lines, origin=redemption)
