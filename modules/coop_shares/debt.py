# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What parties owe, for the documents that pay it from what they give, and
what they are owed, for those that take back what nobody claims."""
from collections import defaultdict
from decimal import Decimal

from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.claim import open_lines
from trytond.pool import Pool
from trytond.tools import grouped_slice


def open_debts(company, parties=None):
    """Return by party the lines it has to pay and how much of each is open.

    As lists of both, the oldest first.  A part that was paid is only
    reconciled once the whole is: it pays the invoice it was meant for and
    then the oldest debts.  Without parties it is for all.
    """
    pool = Pool()
    Line = pool.get('account.move.line')
    domain = [
        ('company', '=', company.id),
        ('move_state', '=', 'posted'),
        ('account.type.receivable', '=', True),
        ('account.reconcile', '=', True),
        ('party', '!=', None),
        ('reconciliation', '=', None),
        ('second_currency', '=', None),
        ['OR',
            ('credit', '>', 0),
            ('maturity_date', '!=', None),
            ],
        ]
    order = [('maturity_date', 'ASC'), ('id', 'ASC')]
    if parties is None:
        lines = Line.search(domain, order=order)
    else:
        lines = []
        for sub_parties in grouped_slice(
                sorted({p.id for p in parties}), SLICE):
            lines.extend(Line.search(
                    [domain, ('party', 'in', list(sub_parties))],
                    order=order))
    debts, credits = defaultdict(list), []
    for line in lines:
        if line.debit:
            debts[line.party].append([line, line.debit])
        else:
            credits.append(line)
    paid = defaultdict(Decimal)
    for line in credits:
        if line.party in debts:
            paid[line.party, line.account, line.invoice_payment] += line.credit

    def cover(get_invoice):
        for party, party_debts in debts.items():
            for debt in party_debts:
                line, amount = debt
                key = party, line.account, get_invoice(line)
                part = min(amount, paid[key])
                paid[key] -= part
                debt[1] -= part

    # What is about to come is not paid twice
    coming = Line.on_its_way([
            line for party_debts in debts.values() for line, _ in party_debts])
    for party_debts in debts.values():
        for debt in party_debts:
            debt[1] = max(debt[1] - coming[debt[0]], Decimal(0))
    if paid:
        cover(_get_invoice)
        for (party, account, invoice), amount in list(paid.items()):
            if invoice:
                paid[party, account, None] += amount
        cover(lambda line: None)
    return debts


def pay_debts(credits):
    """Record that the debts are paid by other lines and reconcile them.

    `credits` maps the line of a debt to the list of lines that pay it, which
    may be a part of it only.
    """
    pool = Pool()
    Invoice = pool.get('account.invoice')
    Line = pool.get('account.move.line')
    Subscription = pool.get('coop.share.subscription')
    collected, to_reconcile, partial = {}, [], []
    by_invoice = defaultdict(list)
    shares = of_shares(credits)
    for debt, lines in credits.items():
        invoice = _get_invoice(debt)
        if debt in shares:
            collected.update(dict.fromkeys(lines, debt))
        elif debt.debit == sum(l.credit for l in lines):
            to_reconcile.append([debt, *lines])
        elif invoice:
            by_invoice[invoice].extend(lines)
        else:
            partial.append(debt)
    Subscription.collect(collected)
    if by_invoice:
        Invoice.add_payment_lines(by_invoice)
        done = {l for lines in to_reconcile for l in lines}
        for invoice in Invoice.browse(list(by_invoice)):
            lines = [
                l for l in invoice.lines_to_pay + invoice.payment_lines
                if not l.reconciliation and l not in done]
            if not sum(l.debit - l.credit for l in lines):
                to_reconcile.append(lines)
    if to_reconcile:
        Line.reconcile(*to_reconcile)
    reconcile_open(partial)


def of_shares(lines):
    """Return the lines that stand for shares of one subscription

    It has posted them itself, or they were called or agreed upon since.
    """
    pool = Pool()
    AdditionalMove = pool.get('coop.document.move')
    Subscription = pool.get('coop.share.subscription')
    shares = set()
    for line, claims in AdditionalMove.get_claims(list(lines)).items():
        if len(claims) == 1:
            subscription = claims[0].move.origin
            if (isinstance(subscription, Subscription)
                    and claims[0].account
                    == subscription.share_class.account_subscribed):
                shares.add(line)
    return shares


def open_claims(claims):
    """Return how much of each line to pay is open.

    A part that was paid is only reconciled once the whole is: it pays the
    oldest lines of the party on the account.  What is on its way to the party
    counts as paid.
    """
    Line = Pool().get('account.move.line')
    claims = set(claims)
    lines = [
        line for group in get_open_lines(claims).values() for line in group]
    paid = defaultdict(Decimal)
    for line in lines:
        paid[line.party, line.account] += line.debit
    open_ = {}
    for line in lines:
        key = line.party, line.account
        part = min(line.credit, paid[key])
        paid[key] -= part
        if line in claims:
            open_[line] = line.credit - part
    coming = Line.on_its_way(list(open_))
    return {
        line: max(amount - coming[line], Decimal(0))
        for line, amount in open_.items()}


def open_parts(claims):
    """Return by line to pay the lines that stand for it and are open

    With how much of each is open, without those of which nothing is.
    """
    standing = open_lines(claims)
    amounts = open_claims({l for lines in standing.values() for l in lines})
    return {
        claim: {l: amounts[l] for l in lines if amounts[l]}
        for claim, lines in standing.items()}


def overdue_parts(claims, limit):
    """Return by record what is open of its lines to pay, if all was due

    `claims` maps the records to their lines to pay, and all that is open has
    to be due on the day.  What is put together with other claims is left to
    them.
    """
    AdditionalMove = Pool().get('coop.document.move')
    parts = open_parts({c for r_claims in claims.values() for c in r_claims})
    shared = {
        line for line, of_claims in AdditionalMove.get_claims({
                l for lines in parts.values() for l in lines}).items()
        if len(of_claims) > 1}
    result = {}
    for record, r_claims in claims.items():
        lines = {
            l: amount for claim in r_claims
            for l, amount in parts[claim].items()}
        if (lines and not shared.intersection(lines)
                and all((l.maturity_date or limit) <= limit for l in lines)):
            result[record] = lines
    return result


def taking_lines(books, amounts):
    "Return the lines that take back what is open of the lines to pay"
    return [
        books.line(line.account, amount, party=line.party, origin=line)
        for line, amount in amounts.items()]


def close_claims(counterparts):
    """Reconcile the lines to pay with the lines that take back their rest.

    With what was paid of them in parts, if that makes them whole.
    """
    Line = Pool().get('account.move.line')
    whole = {
        claim for claim, line in counterparts.items()
        if claim.credit == line.debit}
    Line.reconcile(*([c, l] for c, l in counterparts.items() if c in whole))
    reconcile_open(counterparts.keys() - whole)


def reconcile_open(lines):
    "Reconcile what is open on the accounts of the lines, if it makes a whole"
    Line = Pool().get('account.move.line')
    Line.reconcile(*(
            open_ for open_ in get_open_lines(lines).values()
            if sum(l.debit for l in open_) == sum(l.credit for l in open_)))


def get_open_lines(lines):
    """Return by party and account of the lines all that is not reconciled

    The oldest first.
    """
    Line = Pool().get('account.move.line')
    accounts = list({line.account.id for line in lines})
    open_ = defaultdict(list)
    for sub_parties in grouped_slice({l.party.id for l in lines}, SLICE):
        for line in Line.search([
                    ('account', 'in', accounts),
                    ('party', 'in', list(sub_parties)),
                    ('move_state', '=', 'posted'),
                    ('reconciliation', '=', None),
                    ], order=[('maturity_date', 'ASC'), ('id', 'ASC')]):
            open_[line.party, line.account].append(line)
    return open_


def _get_invoice(line):
    pool = Pool()
    Invoice = pool.get('account.invoice')
    origin = line.move.origin
    return origin if isinstance(origin, Invoice) else None
