# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
from io import StringIO

from trytond.modules.company import CompanyReport


class PayoutReport(CompanyReport):
    __name__ = 'coop.share.redemption.payout'
    _names = [
        'number', 'member', 'payout_account', 'payout_reference',
        'payment_date', 'amount_to_pay']

    @classmethod
    def get_context(cls, records, header, data):
        context = super().get_context(records, header, data)
        output = StringIO()
        writer = csv.writer(output, lineterminator='\n')
        if records:
            writer.writerow([
                    records[0].__names__(field=name)['field']
                    for name in cls._names])
        for redemption in sorted(
                records, key=lambda r: (r.payment_date or r.request_date)):
            if redemption.amount_to_pay:
                writer.writerow([
                        cls._get_cell(redemption, n) for n in cls._names])
        context['table'] = output.getvalue()
        return context

    @classmethod
    def convert(cls, report, data, **kwargs):
        # The template makes the table already
        return report.extension, data

    @classmethod
    def _get_cell(cls, redemption, name):
        value = getattr(redemption, name)
        if name == 'member':
            value = redemption.member.party.name
        elif name == 'payment_date':
            value = value.isoformat() if value else None
        return value
