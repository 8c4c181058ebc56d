# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql.operators import Equal

from trytond.model import (
    Check, DeactivableMixin, Exclude, ModelSQL, ModelView, fields)
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .document import SearchMixin

EXIT_AT = [
    ('fiscal_year_end', "End of the Fiscal Year"),
    ('month_end', "End of the Month"),
    ('any_day', "Any Day"),
    ]
MONTHS = [
    (None, ""),
    ('1', "January"),
    ('2', "February"),
    ('3', "March"),
    ('4', "April"),
    ('5', "May"),
    ('6', "June"),
    ('7', "July"),
    ('8', "August"),
    ('9', "September"),
    ('10', "October"),
    ('11', "November"),
    ('12', "December"),
    ]


class Category(SearchMixin, DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.category'
    __string__ = "Member Category"
    _search_names = 'code', 'name'

    name = fields.Char("Name", required=True, translate=True)
    code = fields.Char("Code")
    company = fields.Many2One('company.company', "Company", required=True)
    investing = fields.Boolean("Investing",
        help="Check if the members provide capital "
        "but do not use the cooperative.")
    voting = fields.Boolean("Voting",
        help="Check if the members may vote at the general meeting.")
    votes = fields.Integer("Votes",
        states={
            'invisible': ~Eval('voting', False),
            'required': Eval('voting', False),
            },
        help="The number of votes of each member.")
    minimum_age = fields.Integer("Minimum Age",
        help="The age in years a person must have to be admitted.")
    notice_months = fields.Integer("Notice", required=True,
        help="The number of months between the notice and the exit.")
    exit_at = fields.Selection(EXIT_AT, "Exit at", required=True, sort=False,
        help="The day on which a membership may end.")
    exit_month = fields.Selection(MONTHS, "Exit Month", sort=False,
        states={
            'invisible': Eval('exit_at') != 'fiscal_year_end',
            },
        help="The month at the end of which a membership may end.\n"
        "Leave empty for the last month of the fiscal year.")
    minimum_months = fields.Integer("Minimum Membership", required=True,
        help="The number of months a membership lasts at least.")
    exclusion_exit_at = fields.Selection(
        EXIT_AT, "Exclusion at", required=True, sort=False,
        help="The day on which the membership of an excluded member ends.")

    person_limit = fields.Integer("Persons",
        states={
            'invisible': (
                ~Eval('with_persons', False)
                & (Eval('person_limit', None) == None)),  # noqa: E711
            },
        help="The number of persons a member may name at most who use what "
        "the member may.\n"
        "Leave empty for no limit.")
    with_persons = fields.Function(
        fields.Boolean("Persons of Members"), 'on_change_with_with_persons')

    @classmethod
    def __setup__(cls):
        cls.code.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('code_unique',
                Exclude(t, (t.company, Equal), (t.code, Equal)),
                'coop_membership.msg_category_code_unique'),
            ('votes_positive',
                Check(t, t.votes >= 0),
                'coop_membership.msg_category_votes_positive'),
            ('minimum_age_positive',
                Check(t, t.minimum_age >= 0),
                'coop_membership.msg_category_minimum_age_positive'),
            ('notice_months_positive',
                Check(t, t.notice_months >= 0),
                'coop_membership.msg_category_notice_months_positive'),
            ('minimum_months_positive',
                Check(t, t.minimum_months >= 0),
                'coop_membership.msg_category_minimum_months_positive'),
            ('person_limit_positive',
                Check(t, t.person_limit >= 0),
                'coop_membership.msg_category_person_limit_positive'),
            ]
        cls._order.insert(0, ('name', 'ASC'))

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_investing(cls):
        return False

    @classmethod
    def default_voting(cls):
        return True

    @classmethod
    def default_votes(cls):
        return 1

    @classmethod
    def default_notice_months(cls):
        return 0

    @classmethod
    def default_exit_at(cls):
        return 'fiscal_year_end'

    @classmethod
    def default_minimum_months(cls):
        return 0

    @classmethod
    def default_exclusion_exit_at(cls):
        return 'any_day'

    @fields.depends('company')
    def on_change_with_with_persons(self, name=None):
        Configuration = Pool().get('coop.membership.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'persons', company=self.company.id)
