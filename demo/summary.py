# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Print what came out of the story, all of it read from the database."""
import datetime as dt
from collections import Counter
from decimal import Decimal

import books
from files import WEEKS
from proteus import Model, Wizard, config

ZERO = Decimal(0)
LAST_DAY = dt.date(1998, 12, 31)


def show(fiscalyear, directory):
    show_members(fiscalyear)
    show_patronage(fiscalyear)
    show_commons(fiscalyear)
    show_surplus()
    check = Wizard('coop.check')
    check.form.date = LAST_DAY
    check.execute('result')
    title("Books")
    line("Trial balance", books.trial_balance())
    line("Check list", len(check.form.differences))
    for difference in check.form.differences[:20]:
        print(f"    {difference.description}")
    print(
        "Books do not balance" if check.form.differences else "Books balance")
    print(f"""
The members' names and addresses, the cost of goods, the running costs and
what concerns the computer's price are made up; purchases and jobs are real,
the jobs moved by {WEEKS} weeks from October 1993 (see demo/data/README.md).

The papers are in {directory}. bin/demo --web shows the cooperative in a
browser.""")


def read(name, domain, *fields):
    "Read the fields of the records at once"
    return Model.get(name).search_read(
        domain, 0, None, None, list(fields), config.get_config().context)


def total(records, name):
    return sum((record[name] for record in records), ZERO)


def title(text):
    print(f"\n{text}")


def line(label, value, note=''):
    if isinstance(value, Decimal):
        value = f"{value:,.2f}"
    elif isinstance(value, int):
        value = f"{value:,}"
    print(f"    {label:<34}{value:>14}  {note}".rstrip())


def show_members(fiscalyear):
    ShareClass = Model.get('coop.share.class')
    title("Members")
    for date in [fiscalyear.end_date, fiscalyear.end_date + dt.timedelta(1)]:
        with config.get_config().set_context(date=date):
            line(f"on {date}", len(read('coop.member.register', [], 'id')))
            holdings = read(
                'coop.share.holding', [], 'share_class', 'quantity', 'amount',
                'paid_amount')
            for share_class in ShareClass.find(
                    [], order=[('code', 'ASC')]):
                held = [
                    h for h in holdings if h['share_class'] == share_class.id]
                line(
                    f"  {share_class.name}", total(held, 'amount'),
                    f"{total(held, 'quantity'):,.0f} shares,"
                    f" {total(held, 'paid_amount'):,.2f} paid")


def show_patronage(fiscalyear):
    title("Patronage")
    purchases = ZERO
    for label, context in [
            (f"in {fiscalyear.name}", {
                    'from_date': fiscalyear.start_date,
                    'to_date': fiscalyear.end_date}),
            ("afterwards", {
                    'from_date': fiscalyear.end_date + dt.timedelta(1),
                    'to_date': None})]:
        with config.get_config().set_context(**context):
            activities = read('coop.patronage.activity', [], 'amount')
        amount = total(activities, 'amount')
        line(f"Purchases {label}", amount, f"{len(activities):,} entries")
        purchases += amount
    line("All purchases of the file", purchases)


def show_commons(fiscalyear):
    Asset = Model.get('account.asset')
    Settlement = Model.get('coop.commons.settlement')
    title("Computer")
    usages = read(
        'coop.commons.usage', [('resource.code', '=', 'COMPUTER')], 'state')
    for state, count in sorted(Counter(u['state'] for u in usages).items()):
        line(f"Jobs {state}", count, f"of {len(usages):,}")
    # The exact amounts, which are rounded on the invoices only
    line("Charged", total(read(
                'coop.commons.usage.charge',
                [('usage.resource.code', '=', 'COMPUTER')], 'amount'),
            'amount'))
    asset, = Asset.find()
    line("Depreciation by use", sum(
            (l.depreciation for l in asset.lines if l.move), ZERO))
    settlement, = Settlement.find()
    line(
        "Returned to the users", settlement.difference,
        f"{len([l for l in settlement.lines if l.amount]):,} users")
    title("Room")
    bookings = read(
        'coop.commons.booking', [('resource.code', '=', 'ROOM')], 'state')
    for state, count in sorted(Counter(b['state'] for b in bookings).items()):
        line(f"Bookings {state}", count)


def show_surplus():
    Surplus = Model.get('coop.surplus')
    for surplus in Surplus.find([('state', '=', 'posted')]):
        title(f"Surplus of {surplus.fiscalyear.name}")
        line("Result", surplus.result)
        for surplus_line in surplus.lines:
            line(f"  {surplus_line.name}", surplus_line.computed_amount)
        for pool in surplus.pools:
            names = ['gross', 'cash', 'equity']
            allocations = read(
                'coop.patronage.allocation', [('pool', '=', pool.id)], *names)
            line(
                f"Pool {pool.name}", pool.total_gross,
                f"{pool.patrons:,} patrons")
            for name in names:
                line(f"  Σ {name}", total(allocations, name))
