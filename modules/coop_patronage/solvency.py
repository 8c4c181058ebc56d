# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool


class SolvencyMixin:
    "A document that pays out only what the board finds can be paid"
    __slots__ = ()
    _not_copied = {
        'solvency_date', 'liquid_funds', 'capital_after', 'solvency_stated_by'}

    solvency_date = fields.Date(
        "Statement of Solvency on",
        help="When the board stated that the cooperative can pay its debts "
        "after the payments.")
    liquid_funds = Monetary(
        "Liquid Funds", currency='currency', digits='currency',
        help="The money the cooperative has for the payments.")
    capital_after = Monetary(
        "Capital after", currency='currency', digits='currency',
        help="The capital that is left after the payments.")
    solvency_stated_by = fields.Char(
        "Stated by",
        help="Who of the board makes the statement.")

    def check_solvency(self, Error):
        "Check that the board made its statement where it must"
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        if (Configuration(1).get_multivalue(
                    'solvency_required', company=self.company.id)
                and not (self.solvency_date and self.solvency_stated_by
                    and self.liquid_funds is not None
                    and self.capital_after is not None)):
            raise Error(gettext(
                    'coop_patronage.msg_solvency_missing',
                    record=self.rec_name))
