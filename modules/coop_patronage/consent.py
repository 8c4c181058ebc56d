# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import Check, ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import SearchMixin
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction

# How many days after the payment period a cheque may be cashed at the latest
# to consent: United States, 26 USC 1388(c)(4)
CHEQUE_DAYS = 90


class Consent(SearchMixin, ModelSQL, ModelView):
    __name__ = 'coop.patronage.consent'
    __string__ = "Patronage Consent"
    _search_names = ('member.rec_name',)

    company = fields.Many2One('company.company', "Company", required=True)
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    date = fields.Date("Date", required=True,
        domain=[
            If(Eval('date') & Eval('end_date'),
                ('date', '<=', Eval('end_date')),
                ()),
            ],
        help="When the member consented in writing to be taxed on equity "
        "when it is allocated.")
    end_date = fields.Date("Revoked on",
        domain=[
            If(Eval('date') & Eval('end_date'),
                ('end_date', '>=', Eval('date')),
                ()),
            ],
        help="When the member took the consent back.\n"
        "It holds until the end of the fiscal year.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('dates', Check(t,
                    (t.end_date == None)  # noqa: E711
                    | (t.end_date >= t.date)),
                'coop_patronage.msg_consent_dates'),
            ]
        cls._order = [
            ('member', 'ASC'),
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    def get_rec_name(self, name):
        lang = Pool().get('ir.lang').get()
        return f'{self.member.rec_name} {lang.strftime(self.date)}'

    @classmethod
    def in_force(cls, company, fiscalyear, members):
        """Return by member id the date of the consent for the fiscal year

        Who takes it back in the year is still bound for it.
        """
        return {
            c.member.id: c.date
            for c in cls.search([
                    ('company', '=', int(company)),
                    ('date', '<=', fiscalyear.end_date),
                    ['OR',
                        ('end_date', '=', None),
                        ('end_date', '>=', fiscalyear.start_date),
                        ],
                    ], order=[('date', 'DESC'), ('id', 'DESC')])
            if c.member.id in members}
