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
            for date, amount in redemption.payout_parts:
                if amount:
                    writer.writerow([
                            cls._get_cell(redemption, n, date, amount)
                            for n in cls._names])
        context['table'] = output.getvalue()
        return context

    @classmethod
    def convert(cls, report, data, **kwargs):
        # The template makes the table already
        return report.extension, data

    @classmethod
    def _get_cell(cls, redemption, name, date, amount):
        if name == 'member':
            return redemption.member.party.name
        elif name == 'payment_date':
            return date.isoformat() if date else None
        elif name == 'amount_to_pay':
            return amount
        return getattr(redemption, name)
