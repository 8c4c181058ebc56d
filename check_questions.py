# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"What only somebody who knows the cooperative can answer"
from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.modules.coop_membership.agreement import Difference
from trytond.modules.coop_membership.period import DAY
from trytond.pool import Pool


def get_questions(company, date):
    "Yield what to ask about the books at the end of the date"
    yield from _get_without_term(company, date)
    yield from _get_idle_assets(company, date)


def _get_without_term(company, date):
    "Look for open invoices that are due at once, for nobody set a term"
    Invoice = Pool().get('account.invoice')
    for invoice in Invoice.search([
                ('company', '=', company.id),
                ('state', '=', 'posted'),
                ('payment_term', '=', None),
                ('move.date', '<=', date),
                ], order=[('move.date', 'ASC'), ('id', 'ASC')]):
        if (invoice.payment_term_date in {None, invoice.invoice_date}
                # Who rescheduled it has set a term
                and any(not l.reconciliation for l in invoice.lines_to_pay)):
            yield Difference(
                invoice, gettext('coop.msg_check_term'),
                party=invoice.party, kind='question')


def _get_idle_assets(company, date):
    "Look for assets whose resource nobody has used for a year"
    pool = Pool()
    Asset = pool.get('account.asset')
    Usage = pool.get('coop.commons.usage')
    start = date - relativedelta(years=1) + DAY
    for asset in Asset.search([
                ('company', '=', company.id),
                ('state', '=', 'running'),
                ('resource', '!=', None),
                ('start_date', '<=', start),
                ], order=[('number', 'ASC'), ('id', 'ASC')]):
        stays = [
            (resource, max(first, start), min(last or date, date))
            for resource, first, last in asset.get_stays()
            if first <= date and (not last or last >= start)]
        if not any(
                quantity
                for resource, first, last in stays
                for quantity in Usage.sum_quantities(
                    resource, start=first, end=last).values()):
            yield Difference(
                asset, gettext('coop.msg_check_idle',
                    resource=asset.resource.rec_name),
                kind='question')
