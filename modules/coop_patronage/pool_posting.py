# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.modules.coop_membership.agreement import Difference
from trytond.modules.coop_membership.books import SLICE, Books
from trytond.modules.coop_shares.document import lock_members
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .balance import get_balances
from .exceptions import AllocationError, CancelError


class PoolPosting:
    "Post and cancel the allocations of a pool"
    __slots__ = ()

    @classmethod
    def get_accounts(cls, company, allocations):
        "Return by name the configured accounts the allocations need"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        names = ['account_patronage_payable', 'account_toward_shares',
            'account_patronage_withholding']
        for name, account in [
                ('savings', 'account_savings'),
                ('donation', 'account_donation')]:
            if any(getattr(a, name) for a in allocations):
                names.append(account)
        return {
            name: Configuration.get_account(name, company)
            for name in names}

    def _get_patrons(self):
        "Return the ids of the allocations and of their members"
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        cursor = Transaction().connection.cursor()
        # All of them do not fit in Tryton's cache of records
        allocation = Allocation.__table__()
        cursor.execute(*allocation.select(
                allocation.id, allocation.member,
                where=allocation.id.in_(Allocation.search([
                            ('pool', '=', self.id),
                            ('gross', '!=', 0),
                            ], order=[], query=True)),
                order_by=allocation.id))
        return cursor.fetchall()

    @classmethod
    def lock_patrons(cls, pools):
        """Lock the members before what they hold is compared

        Each chunk would lock its own and start all over.
        """
        pool = Pool()
        Member = pool.get('coop.member')
        lock_members({
                Member(member) for pool_ in pools
                for _, member in pool_._get_patrons() if member})

    @classmethod
    def post(cls, pools):
        "Post the allocations, in moves of a chunk of patrons"
        for pool in pools:
            pool._post()

    def _post(self):
        pool = Pool()
        Allocation = pool.get('coop.patronage.allocation')
        Line = pool.get('account.move.line')
        Move = pool.get('account.move')
        ShareMove = pool.get('coop.share.move')

        books = Books(self.company)
        date = self.surplus.posting_date
        chunks = [
            [id_ for id_, _ in chunk] for chunk in grouped_slice(
                self._get_patrons(), SLICE // 2)]
        moves = [
            books.move(date, [], origin=self, description=self.name)
            for _ in chunks]
        Move.save(moves)
        maturity_date = self.payment_deadline or date
        credit_notes = self._get_credit_notes(date, maturity_date)
        set_offs, to_shares, due = [], [], []
        for move, chunk in zip(moves, chunks):
            allocations = Allocation.browse(chunk)
            accounts = self.get_accounts(self.company, allocations)
            rows = []
            for allocation in allocations:
                rows.extend(
                    row for row in allocation.get_move_lines(
                        self, move, accounts)
                    # The credit note pays it
                    if row[1] != 'net' or allocation not in credit_notes)
            rows.extend(self._get_chunk_lines(
                    allocations, move, accounts, credit_notes))
            for sub_rows in grouped_slice(rows, SLICE // 5):
                Line.save([line for *_, line in sub_rows])
            links = {
                a.id: {'account_move': move.id} for a in allocations}
            for allocation, name, line in rows:
                if name == 'net':
                    links[allocation.id]['account_move_line'] = line.id
                elif name == 'held':
                    links[allocation.id]['held_line'] = line.id
                elif name == 'to_shares':
                    to_shares.append(line)
                elif name == 'set_off':
                    set_offs.append(line)
            share_moves, allocated = [], []
            losers = [a.member for a in allocations if a.equity < 0]
            lots = ShareMove.lots_at(
                self.company, None, losers,
                [self.equity_class]) if losers else {}
            for allocation in allocations:
                if allocation.equity > 0:
                    share_move = allocation.get_share_move(self, move, date)
                    share_moves.append(share_move)
                    allocated.append((allocation, share_move))
                elif allocation.equity < 0:
                    share_moves.extend(
                        allocation.get_loss_moves(
                            self, move, date, lots[
                                allocation.member.id, self.equity_class.id]))
                if allocation.net and not allocation.kept:
                    due.append(allocation.party)
            ShareMove.do(share_moves)
            for allocation, share_move in allocated:
                links[allocation.id]['share_move'] = share_move.id
            Allocation.set_links(links)
            # The lines of all the moves together would take much longer
            Move.post([move])
        if self.minimum:
            Allocation.make_due(self.company, due, date, maturity_date)
        self._post_credit_notes(credit_notes)
        self._post_to_shares(books, date, to_shares)
        self._post_set_offs(books, date, set_offs, self.name)

    def get_clearing_account(self):
        "Return the account the allocations are debited to"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        if (self.surplus.recognition == 'appropriation'
                or self.line.kind == 'loss_cover'):
            return self.line.account
        return Configuration.get_account(
            'account_patronage_accrued', self.company)

    def _get_chunk_lines(self, allocations, move, accounts, credit_notes):
        "Yield the lines without party of a chunk, of no allocation"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        Withholding = pool.get('coop.withholding')
        gross = sum(a.gross for a in allocations)
        withholding = sum(a.withholding for a in allocations)
        donation = sum(a.donation for a in allocations)
        forfeited = sum(a.forfeited for a in allocations)
        credited = sum(a.net for a in allocations if a in credit_notes)
        yield None, None, self._get_line(
            move, self.get_clearing_account(), gross)
        if withholding:
            fund = Withholding.get_fund(self.company)
            if fund:
                yield None, None, self._get_line(
                    move, fund.account, -withholding, party=fund.payee.id,
                    maturity_date=fund.get_due_date(move.date))
            else:
                yield None, None, self._get_line(
                    move, accounts['account_patronage_withholding'],
                    -withholding)
        if donation:
            yield None, None, self._get_line(
                move, accounts['account_donation'], -donation)
        if credited:
            # The credit notes take it from there
            yield None, None, self._get_line(
                move, Configuration.get_account(
                    'account_patronage_reduction', self.company),
                -credited)
        if forfeited:
            line = self.get_difference_line()
            if not line:
                raise AllocationError(gettext(
                        'coop_patronage.msg_pool_difference',
                        pool=self.rec_name,
                        amount=self.surplus.format_currency(forfeited)))
            yield None, None, self._get_line(move, line.account, -forfeited)

    @classmethod
    def cancel(cls, pools):
        "Take back all that the pools posted"
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Line = pool.get('account.move.line')
        Payment = pool.get('coop.share.subscription.payment')
        Reconciliation = pool.get('account.move.reconciliation')
        ShareMove = pool.get('coop.share.move')
        Subscription = pool.get('coop.share.subscription')
        # What replaced claims is cancelled before
        pool_moves = {p: AdditionalMove.get_own(p.moves) for p in pools}
        all_moves = {m for moves in pool_moves.values() for m in moves}
        for line in Line.search([
                    ('move', 'in', [m.id for m in all_moves]),
                    ('credit', '>', 0),
                    ('account.type.payable', '=', True),
                    Line.get_paid_domain(),
                    ]):
            # What the pools reconciled themselves is taken back with them
            if (not line.reconciliation
                    or any(other.move not in all_moves
                        for other in line.reconciliation.lines)):
                allocation = line.origin
                if not allocation:
                    raise CancelError(gettext(
                            'coop_patronage.msg_surplus_cancel_fund',
                            surplus=line.move.origin.surplus.rec_name,
                            payee=line.party.rec_name))
                raise CancelError(gettext(
                        'coop_patronage.msg_allocation_paid',
                        allocation=allocation.rec_name,
                        surplus=allocation.surplus.rec_name))
        for pool in pools:
            pool._cancel_credit_notes()
            books = Books(pool.company)
            moves = pool_moves[pool]
            # What was paid of a subscription before stays paid
            with Transaction().set_context(keep_share_payments=True):
                Reconciliation.delete(list({
                            line.reconciliation
                            for move in moves for line in move.lines
                            if line.reconciliation}))
            Payment.enter_opposite(Payment.search([
                        ('line.move', 'in', [m.id for m in moves]),
                        ]))
            Subscription.cancel(list({
                        s for a in pool.allocations
                        for s in a.subscriptions}))
            reversals = {
                move: books.reversal(move, pool.surplus.posting_date)
                for move in moves}
            Books.post(list(reversals.values()))
            ShareMove.reverse(ShareMove.search([
                        ('account_move', 'in', [m.id for m in moves]),
                        ('reversal_of', '=', None),
                        ]), reversals)
            groups = []
            for move, reversal in reversals.items():
                lines = defaultdict(list)
                for line in move.lines + reversal.lines:
                    type_ = line.account.type
                    if (line.account.reconcile
                            and (type_.payable or type_.receivable)):
                        lines[line.account, line.party].append(line)
                groups.extend(lines.values())
            if groups:
                Line.reconcile(*groups)

    @classmethod
    def check_clearing(cls, surplus):
        "Yield what a posted surplus left on its clearing accounts"
        origins = [str(surplus)] + [str(p) for p in surplus.pools]
        accounts = {
            pool.get_clearing_account(): pool for pool in surplus.pools}
        balances = get_balances(
            surplus.company, accounts, lambda move: move.origin.in_(origins))
        for account, pool in accounts.items():
            if balances[account.id]:
                yield Difference(
                    pool,
                    gettext('coop_patronage.msg_check_clearing',
                        pool=pool.rec_name,
                        surplus=surplus.rec_name,
                        account=account.rec_name),
                    Decimal(0), balances[account.id])
