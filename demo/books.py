# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What a bookkeeper does by hand in Tryton."""
from decimal import Decimal

from proteus import Model, Wizard, config

ZERO = Decimal(0)


def account(code):
    "Return the account by its code in the universal chart"
    Account = Model.get('account.account')
    account, = Account.find([('code', '=', code)])
    return account


def create_account(code, name, like):
    Account = Model.get('account.account')
    account = Account(code=code, name=name)
    account.type = like.type
    account.parent = like.parent
    account.save()
    return account


def post(date, description, lines, journal='cooperative'):
    """Post a move of lines of account, amount (debit is positive) and, where
    the account asks for it, party"""
    move, = post_all([(date, description, lines)], journal)
    return move


def post_all(moves, journal='cooperative'):
    "Post moves of a date, a description and lines"
    Journal = Model.get('account.journal')
    Move = Model.get('account.move')
    Period = Model.get('account.period')
    journal, = Journal.find([('type', '=', journal)], limit=1)
    periods = Period.find([('type', '=', 'standard')])
    values = []
    for date, description, lines in moves:
        period, = [p for p in periods if p.start_date <= date <= p.end_date]
        values.append({
                'company': period.company.id,
                'journal': journal.id,
                'period': period.id,
                'date': date,
                'description': description,
                'lines': [('create', [{
                                'account': int(account),
                                'debit': max(amount, ZERO),
                                'credit': max(-amount, ZERO),
                                'party': party[0] if party else None,
                                }
                            for account, amount, *party in lines
                            if amount])],
                })
    records = Move.create(values, config.get_config().context)
    posted = [Move(id) for id in records]
    Move.click(posted, 'post')
    return posted


def pay_parties(date, description, domain, bank):
    """Pay the payable lines of the domain from the bank and reconcile them

    The lines are paid by one move, as the bank books a batch of transfers.
    """
    Line = Model.get('account.move.line')
    Reconciliation = Model.get('account.move.reconciliation')
    context = config.get_config().context
    lines = Line.search_read(
        domain, 0, None, [('id', 'ASC')],
        ['account', 'party', 'debit', 'credit'], context)
    amounts = [line['credit'] - line['debit'] for line in lines]
    move = post(date, description, [
            *((line['account'], amount, line['party'])
                for line, amount in zip(lines, amounts)),
            (bank, -sum(amounts)),
            ], journal='cash')
    # The lines of the move keep the order in which they were made
    counterparts = Line.find([
            ('move', '=', move.id),
            ('party', '!=', None),
            ], order=[('id', 'ASC')])
    Reconciliation.create([{
                'company': move.company.id,
                'date': date,
                'lines': [('add', [line['id'], counterpart.id])],
                } for line, counterpart in zip(lines, counterparts)],
        context)


def trial_balance():
    "Return the total of the debits less the credits of all the accounts"
    Line = Model.get('account.move.line')
    return sum((
            line['debit'] - line['credit'] for line in Line.search_read(
                [('move.state', '=', 'posted')], 0, None, None,
                ['debit', 'credit'], config.get_config().context)), ZERO)


def close_result(fiscalyear):
    "Close the income statement of the year to the undivided surplus"
    Move = Model.get('account.move')
    balance = Wizard('account.fiscalyear.balance_non_deferral')
    balance.form.fiscalyear = fiscalyear
    balance.execute('balance')
    Move.click(Move.find([
                ('origin', '=', f'account.fiscalyear,{fiscalyear.id}'),
                ('state', '=', 'draft'),
                ]), 'post')
