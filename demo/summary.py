# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Print what came out of the story, all of it read from the database."""
import datetime as dt
from collections import Counter
from decimal import Decimal

import books
from files import WEEKS
from proteus import Model, config

from trytond.modules.coop_membership.tests.tools import check_books

ZERO = Decimal(0)
LAST_DAY = dt.date(1998, 12, 31)


def show(fiscalyear, directory):
    show_members(fiscalyear)
    show_patronage(fiscalyear)
    show_commons(fiscalyear)
    show_surplus()
    differences = check_books(LAST_DAY)
    title("Books")
    line("Trial balance", books.trial_balance())
    line("Differences", len(differences))
    for difference in differences[:20]:
        print(f"    {difference}")
    print("Books balance" if not differences else "Books do not balance")
    print(f"""
The members' names and addresses, the cost of goods, the running costs and
what concerns the computer's price are made up; purchases and jobs are real,
the jobs moved by {WEEKS} weeks from October 1993 (see demo/data/README.md).

The papers are in {directory}. bin/demo --web shows the cooperative in a
browser.""")


def title(text):
    print(f"\n{text}")


def line(label, value, note=''):
    if isinstance(value, Decimal):
        value = f"{value:,.2f}"
    elif isinstance(value, int):
        value = f"{value:,}"
    print(f"    {label:<34}{value:>14}  {note}".rstrip())


def show_members(fiscalyear):
    Holding = Model.get('coop.share.holding')
    Register = Model.get('coop.member.register')
    title("Members")
    for date in [fiscalyear.end_date, fiscalyear.end_date + dt.timedelta(1)]:
        with config.get_config().set_context(date=date):
            line(f"on {date}", len(Register.find([])))
            holdings = Holding.find([])
            for share_class in sorted(
                    {h.share_class for h in holdings}, key=lambda c: c.code):
                held = [h for h in holdings if h.share_class == share_class]
                line(
                    f"  {share_class.name}",
                    sum((h.amount for h in held), ZERO),
                    f"{sum(h.quantity for h in held):,.0f} shares,"
                    f" {sum((h.paid_amount for h in held), ZERO):,.2f} paid")


def show_patronage(fiscalyear):
    Activity = Model.get('coop.patronage.activity')
    title("Patronage")
    total = ZERO
    for label, context in [
            (f"in {fiscalyear.name}", {
                    'from_date': fiscalyear.start_date,
                    'to_date': fiscalyear.end_date}),
            ("afterwards", {
                    'from_date': fiscalyear.end_date + dt.timedelta(1),
                    'to_date': None})]:
        with config.get_config().set_context(**context):
            activities = Activity.find([])
            amount = sum((a.amount for a in activities), ZERO)
        line(f"Purchases {label}", amount, f"{len(activities):,} entries")
        total += amount
    line("All purchases of the file", total)


def show_commons(fiscalyear):
    Asset = Model.get('account.asset')
    Booking = Model.get('coop.commons.booking')
    Settlement = Model.get('coop.commons.settlement')
    Usage = Model.get('coop.commons.usage')
    title("Computer")
    usages = Usage.find([('resource.code', '=', 'COMPUTER')])
    for state, count in sorted(Counter(u.state for u in usages).items()):
        line(f"Jobs {state}", count, f"of {len(usages):,}")
    line("Charged", sum((u.amount for u in usages), ZERO))
    asset, = Asset.find()
    line("Depreciation by use", sum(
            (l.depreciation for l in asset.lines if l.move), ZERO))
    settlement, = Settlement.find()
    line(
        "Returned to the users", settlement.difference,
        f"{len([l for l in settlement.lines if l.amount]):,} users")
    title("Room")
    bookings = Booking.find([('resource.code', '=', 'ROOM')])
    for state, count in sorted(Counter(b.state for b in bookings).items()):
        line(f"Bookings {state}", count)


def show_surplus():
    Allocation = Model.get('coop.patronage.allocation')
    Surplus = Model.get('coop.surplus')
    for surplus in Surplus.find([('state', '=', 'posted')]):
        title(f"Surplus of {surplus.fiscalyear.name}")
        line("Result", surplus.result)
        for surplus_line in surplus.lines:
            line(f"  {surplus_line.name}", surplus_line.computed_amount)
        for pool in surplus.pools:
            allocations = Allocation.find([('pool', '=', pool.id)])
            line(
                f"Pool {pool.name}", pool.total_gross,
                f"{len(allocations):,} patrons")
            for name in ['gross', 'cash', 'equity']:
                line(f"  Σ {name}", sum(
                        (getattr(a, name) for a in allocations), ZERO))
