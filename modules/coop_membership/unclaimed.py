# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.pool import Pool
from trytond.transaction import Transaction

__all__ = ['UnclaimedStartMixin']


class UnclaimedStartMixin:
    """Ask since how many years the money must be due that a wizard lists

    `_years` is the configuration and its field that proposes them.
    """
    __slots__ = ()
    _years = None

    company = fields.Many2One('company.company', "Company", required=True)
    date = fields.Date("Date", required=True,
        help="The day for which the list is made, and of what is posted.")
    years = fields.Integer("Years", required=True,
        domain=[
            ('years', '>', 0),
            ],
        help="The number of years since the money was due.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_years(cls):
        return cls._get_years(cls.default_company())

    @fields.depends('company')
    def on_change_company(self):
        if self.company:
            self.years = self._get_years(self.company.id)

    @classmethod
    def _get_years(cls, company):
        configuration, name = cls._years
        Configuration = Pool().get(configuration)
        return Configuration(1).get_multivalue(name, company=company)

    @property
    def period(self):
        "What is listed, and of which day"
        return self.company, self.date, self.years
