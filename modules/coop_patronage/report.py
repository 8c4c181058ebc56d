# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
from decimal import Decimal
from io import StringIO

from trytond.modules.company import CompanyReport
from trytond.report import Report


class Notice(CompanyReport):
    __name__ = 'coop.patronage.notice'


class UnclaimedNotice(CompanyReport):
    __name__ = 'coop.patronage.unclaimed_notice'


class DistributionList(CompanyReport):
    __name__ = 'coop.patronage.distribution_list'


class TaxExtract(Report):
    "A file with a row for each patron, of which each tax form has its boxes"
    boxes = []

    @classmethod
    def _execute(cls, records, header, data, action):
        return 'csv', cls.get_file(records)

    @classmethod
    def get_file(cls, pools):
        "Return the file with a row for each patron of the pools"
        rows = {}
        for pool in pools:
            for allocation in pool.allocations:
                row = rows.setdefault(
                    allocation.party.id,
                    (allocation.party, dict.fromkeys(cls.boxes, Decimal(0))))
                for name, amount in cls.get_boxes(allocation).items():
                    row[1][name] += pool.currency.round(amount)
        output = StringIO()
        writer = csv.writer(output)
        writer.writerow(["Identifier", "Name", *cls.boxes])
        for party, boxes in rows.values():
            identifier = party.tax_identifier
            writer.writerow([
                    identifier.code if identifier else '',
                    party.name, *boxes.values()])
        return output.getvalue()

    @classmethod
    def get_boxes(cls, allocation):
        "Return the amounts by box"
        raise NotImplementedError

    @classmethod
    def get_equity(cls, allocation):
        equity = max(allocation.equity, Decimal(0))
        if allocation.member:
            # What does not make a whole share is equity all the same
            equity += allocation.held
        return equity


class TaxExtract1099PATR(TaxExtract):
    __name__ = 'coop.patronage.tax_extract.1099_patr'
    # United States, Instructions for Form 1099-PATR: box 1 has what is paid
    # in money and qualified notices, box 4 the backup withholding
    boxes = ["1", "4"]

    @classmethod
    def get_boxes(cls, allocation):
        paid = allocation.cash
        if allocation.pool.qualified:
            paid += cls.get_equity(allocation)
        return {"1": paid, "4": allocation.withholding}


class TaxExtractT4A(TaxExtract):
    __name__ = 'coop.patronage.tax_extract.t4a'
    # Canada, guide RC4157: box 030 has the patronage allocations, in money
    # or in kind, box 022 the income tax deducted
    boxes = ["030", "022"]

    @classmethod
    def get_boxes(cls, allocation):
        return {
            "030": allocation.cash + cls.get_equity(allocation),
            "022": allocation.withholding,
            }
