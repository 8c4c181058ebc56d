# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from proteus import Model, Wizard

from trytond.modules.company.tests.tools import get_company

__all__ = [
    'create_patronage_category', 'create_entries', 'get_patronage_accounts',
    'post_result', 'pay_line', 'close_result', 'carry_resolutions']


def create_patronage_category(
        name="Purchases", company=None, config=None, **values):
    "Create a patronage category, which takes entries by default"
    Category = Model.get('coop.patronage.category', config=config)

    if not company:
        company = get_company(config=config)

    category = Category(name=name, company=company, **values)
    category.save()
    return category


def create_entries(category, rows, config=None):
    "Create an entry for each row of party, date and measure"
    Entry = Model.get('coop.patronage.entry', config=config)

    entries = []
    for party, date, measure in rows:
        entry = Entry(company=category.company, category=category)
        entry.party = party
        entry.date = date
        setattr(entry, category.measure, measure)
        entries.append(entry)
    Entry.save(entries)
    return entries


def get_patronage_accounts(config=None):
    "Return the configured accounts by name, without the prefix account_"
    Configuration = Model.get('coop.patronage.configuration', config=config)

    configuration = Configuration(1)
    return {
        name[len('account_'):]: getattr(configuration, name)
        for name in Configuration._fields if name.startswith('account_')}


def post_result(amount, date, revenue, cash, config=None):
    "Post a move that makes the amount as result, negative for a loss"
    return _post(
        date, [(cash, amount, None), (revenue, -amount, None)], config)


def pay_line(line, date, cash, part=None, config=None):
    "Pay the line from the cash account and reconcile it, or pay a part"
    Line = Model.get('account.move.line', config=config)

    amount = part or line.credit - line.debit
    move = _post(
        date, [(line.account, amount, line.party), (cash, -amount, None)],
        config)
    if not part:
        payment, = [l for l in move.lines if l.account == line.account]
        Wizard(
            'account.move.reconcile_lines',
            [Line(line.id), Line(payment.id)], config=config)
    return move


def _post(date, lines, config):
    "Post a move of lines of account, debit less credit, and party"
    Journal = Model.get('account.journal', config=config)
    Move = Model.get('account.move', config=config)
    Period = Model.get('account.period', config=config)

    move = Move()
    move.journal, = Journal.find([('type', '=', 'cooperative')], limit=1)
    move.period, = Period.find([
            ('start_date', '<=', date),
            ('end_date', '>=', date),
            ('type', '=', 'standard'),
            ('company', '=', lines[0][0].company.id),
            ])
    move.date = date
    for account, value, party in lines:
        line = move.lines.new(account=account)
        if party:
            line.party = party
        line.debit = max(value, Decimal(0))
        line.credit = max(-value, Decimal(0))
    move.click('post')
    return move


def close_result(fiscalyear, account, config=None):
    "Close the income statement of the year to the account"
    Journal = Model.get('account.journal', config=config)
    Move = Model.get('account.move', config=config)
    Period = Model.get('account.period', config=config)

    journals = Journal.find([('type', '=', 'situation')], limit=1)
    if journals:
        journal, = journals
    else:
        journal = Journal(name="Closing", code="CLO", type='situation')
        journal.save()
    periods = Period.find([
            ('fiscalyear', '=', fiscalyear.id),
            ('type', '=', 'adjustment'),
            ], limit=1)
    if periods:
        period, = periods
    else:
        period = Period(
            name="Closing " + fiscalyear.name, type='adjustment',
            fiscalyear=fiscalyear, start_date=fiscalyear.end_date,
            end_date=fiscalyear.end_date)
        period.save()
    balance = Wizard('account.fiscalyear.balance_non_deferral', config=config)
    balance.form.fiscalyear = fiscalyear
    balance.form.journal = journal
    balance.form.period = period
    balance.form.credit_account = account
    balance.form.debit_account = account
    balance.execute('balance')
    move, = Move.find([
            ('origin', '=', 'account.fiscalyear,%d' % fiscalyear.id),
            ('state', '=', 'draft'),
            ])
    move.click('post')
    return move


def carry_resolutions(
        fiscalyear, date, purposes=('accounts', 'appropriation'),
        carried=True, company=None, config=None):
    """Hold a meeting that carries the accounts and the appropriation

    Return the item on the appropriation."""
    Meeting = Model.get('coop.meeting', config=config)

    if not company:
        company = get_company(config=config)

    meeting = Meeting(company=company, kind='ordinary', date=date)
    meeting.record_date = date
    for purpose in purposes:
        item = meeting.items.new(subject=purpose.capitalize())
        item.kind = 'resolution'
        item.purpose = purpose
        item.fiscalyear = fiscalyear
    meeting.save()
    meeting.click('convene')
    for attendance in meeting.attendances:
        attendance.presence = 'present'
    meeting.save()
    meeting.click('open')
    for item in meeting.items:
        item.votes_for = meeting.present_votes if carried else 0
        item.votes_against = 0 if carried else meeting.present_votes
        item.votes_abstain = 0
    meeting.save()
    meeting.click('close')
    return meeting.items[-1]
