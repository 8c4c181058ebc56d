# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSingleton, ModelSQL, ModelView, fields
from trytond.modules.company.model import (
    CompanyMultiValueMixin, CompanyValueMixin)
from trytond.pool import Pool
from trytond.pyson import Eval, Id

from .category import MONTHS


def _percent(name):
    return ['OR',
        (name, '=', None),
        [(name, '>=', 0), (name, '<=', 100)],
        ]


journal = fields.Many2One(
    'account.journal', "Journal", required=True,
    domain=[
        ('type', '=', 'cooperative'),
        ],
    help="The journal of the accounting moves of the cooperative.")
year_end_month = fields.Selection(
    MONTHS[1:], "Year-end Month", required=True, sort=False,
    help="The last month of the years for which there is no fiscal year yet.")
majority_age = fields.Integer("Age of Majority", required=True,
    help="The age in years from which a person needs no legal "
    "representative.")
entity_representative = fields.Boolean(
    "Representative of Legal Entities",
    help="Check to require a legal representative "
    "for the admission of legal entities.")
retention_years = fields.Integer("Retention", required=True,
    help="The number of years the data of a member is kept "
    "after the end of the year of the exit.")
accounting_retention_years = fields.Integer(
    "Accounting Retention", required=True,
    help="The number of years the data of a member is kept "
    "after the end of the year of the last accounting move.")
register_columns = fields.Selection([
        ('generic', "Generic"),
        ('be', "Belgium"),
        ('de', "Germany"),
        ('es', "Spain"),
        ('fr', "France"),
        ('it', "Italy"),
        ('uk', "United Kingdom"),
        ], "Register Columns", required=True, sort=False,
    help="The columns of the printed register.")
quorum_basis = fields.Selection([
        ('members', "Members"),
        ('votes', "Votes"),
        ], "Quorum Basis", required=True, sort=False,
    help="What the quorum of new meetings counts.")
first_quorum_percent = fields.Numeric("First Call Quorum Percentage",
    domain=_percent('first_quorum_percent'),
    help="The share that must be present on the first call.")
first_quorum_minimum = fields.Integer("First Call Quorum Minimum",
    help="The number that is enough on the first call.")
second_quorum_percent = fields.Numeric("Second Call Quorum Percentage",
    domain=_percent('second_quorum_percent'),
    help="The share that must be present on the second call.")
second_quorum_minimum = fields.Integer("Second Call Quorum Minimum",
    help="The number that is enough on the second call.")
proxies_per_holder = fields.Integer("Proxies per Holder",
    help="The number of members one person may represent at most.\n"
    "Leave empty for no limit.")
votes_cap = fields.Numeric("Votes Cap",
    domain=_percent('votes_cap'),
    help="The percentage of all the votes one member may have at most.\n"
    "Leave empty for no limit.")
investing_limit = fields.Numeric("Investing Limit",
    domain=_percent('investing_limit'),
    help="The percentage of the votes cast that may be from investing "
    "members at most.\n"
    "Leave empty for no limit.")

suspensions = fields.Boolean("Suspensions of Members",
    help="Check to take the vote and the bookings of members for some time.")
suspension_days = fields.Integer("Suspension for Arrears after",
    domain=['OR',
        ('suspension_days', '=', None),
        ('suspension_days', '>=', 0),
        ],
    states={
        'invisible': ~Eval('suspensions', False),
        },
    help="The number of days after which a member with an overdue debt is "
    "suspended until it is paid.\n"
    "Leave empty to suspend nobody by the scheduled task.")
joint_members = fields.Boolean("Joint Members",
    help="Check to let several parties hold a membership together, with one "
    "number and one vote.")
persons = fields.Boolean("Persons of Members",
    help="Check to keep who may use what a member may, such as the drivers "
    "of a household.")
elections = fields.Boolean("Elections of Officers",
    help="Check to elect between candidates for several seats, and to let "
    "those who are elected hold an office.")
formal_minutes = fields.Boolean("Formal Minutes",
    help="Check to keep the chair, the secretary, the times, the proof of "
    "the convocation and the annexes of meetings.")


def _get_id(xml_id):
    ModelData = Pool().get('ir.model.data')
    try:
        return ModelData.get_id('coop_membership', xml_id)
    except KeyError:
        return None


class Configuration(
        ModelSingleton, ModelSQL, ModelView, CompanyMultiValueMixin):
    __name__ = 'coop.membership.configuration'
    __string__ = "Membership Configuration"

    member_sequence = fields.MultiValue(fields.Many2One(
            'ir.sequence.strict', "Member Sequence", required=True,
            domain=[
                ('company', 'in', [
                        Eval('context', {}).get('company', -1), None]),
                ('sequence_type', '=',
                    Id('coop_membership', 'sequence_type_member')),
                ],
            help="Used to generate the numbers of the members."))
    meeting_sequence = fields.MultiValue(fields.Many2One(
            'ir.sequence', "Meeting Sequence", required=True,
            domain=[
                ('company', 'in', [
                        Eval('context', {}).get('company', -1), None]),
                ('sequence_type', '=',
                    Id('coop_membership', 'sequence_type_meeting')),
                ],
            help="Used to generate the numbers of the meetings."))
    default_category = fields.MultiValue(fields.Many2One(
            'coop.member.category', "Default Category",
            domain=[
                ('company', '=', Eval('context', {}).get('company', -1)),
                ],
            help="The category of new applicants."))
    journal = fields.MultiValue(journal)
    year_end_month = fields.MultiValue(year_end_month)
    majority_age = fields.MultiValue(majority_age)
    entity_representative = fields.MultiValue(entity_representative)
    retention_years = fields.MultiValue(retention_years)
    accounting_retention_years = fields.MultiValue(accounting_retention_years)
    register_columns = fields.MultiValue(register_columns)
    quorum_basis = fields.MultiValue(quorum_basis)
    first_quorum_percent = fields.MultiValue(first_quorum_percent)
    first_quorum_minimum = fields.MultiValue(first_quorum_minimum)
    second_quorum_percent = fields.MultiValue(second_quorum_percent)
    second_quorum_minimum = fields.MultiValue(second_quorum_minimum)
    proxies_per_holder = fields.MultiValue(proxies_per_holder)
    votes_cap = fields.MultiValue(votes_cap)
    investing_limit = fields.MultiValue(investing_limit)
    suspensions = fields.MultiValue(suspensions)
    suspension_days = fields.MultiValue(suspension_days)
    joint_members = fields.MultiValue(joint_members)
    persons = fields.MultiValue(persons)
    elections = fields.MultiValue(elections)
    formal_minutes = fields.MultiValue(formal_minutes)

    @classmethod
    def multivalue_model(cls, field):
        pool = Pool()
        if field in {'member_sequence', 'meeting_sequence'}:
            return pool.get('coop.membership.configuration.sequence')
        elif field in {'journal', 'default_category', 'register_columns'}:
            return pool.get('coop.membership.configuration.default')
        elif field in {
                'year_end_month', 'majority_age', 'entity_representative',
                'retention_years', 'accounting_retention_years',
                'suspensions', 'suspension_days', 'joint_members',
                'persons'}:
            return pool.get('coop.membership.configuration.rule')
        elif field in {
                'quorum_basis', 'first_quorum_percent',
                'first_quorum_minimum', 'second_quorum_percent',
                'second_quorum_minimum', 'proxies_per_holder', 'votes_cap',
                'investing_limit', 'elections', 'formal_minutes'}:
            return pool.get('coop.membership.configuration.meeting')
        return super().multivalue_model(field)

    @classmethod
    def default_member_sequence(cls, **pattern):
        return cls.multivalue_model(
            'member_sequence').default_member_sequence()

    @classmethod
    def default_meeting_sequence(cls, **pattern):
        return cls.multivalue_model(
            'meeting_sequence').default_meeting_sequence()

    @classmethod
    def default_register_columns(cls, **pattern):
        return cls.multivalue_model(
            'register_columns').default_register_columns()

    @classmethod
    def default_quorum_basis(cls, **pattern):
        return cls.multivalue_model('quorum_basis').default_quorum_basis()

    @classmethod
    def default_suspensions(cls, **pattern):
        return cls.multivalue_model('suspensions').default_suspensions()

    @classmethod
    def default_joint_members(cls, **pattern):
        return cls.multivalue_model('joint_members').default_joint_members()

    @classmethod
    def default_persons(cls, **pattern):
        return cls.multivalue_model('persons').default_persons()

    @classmethod
    def default_elections(cls, **pattern):
        return cls.multivalue_model('elections').default_elections()

    @classmethod
    def default_formal_minutes(cls, **pattern):
        return cls.multivalue_model('formal_minutes').default_formal_minutes()

    @classmethod
    def default_journal(cls, **pattern):
        return cls.multivalue_model('journal').default_journal()

    @classmethod
    def default_year_end_month(cls, **pattern):
        return cls.multivalue_model('year_end_month').default_year_end_month()

    @classmethod
    def default_majority_age(cls, **pattern):
        return cls.multivalue_model('majority_age').default_majority_age()

    @classmethod
    def default_entity_representative(cls, **pattern):
        return cls.multivalue_model(
            'entity_representative').default_entity_representative()

    @classmethod
    def default_retention_years(cls, **pattern):
        return cls.multivalue_model(
            'retention_years').default_retention_years()

    @classmethod
    def default_accounting_retention_years(cls, **pattern):
        return cls.multivalue_model(
            'accounting_retention_years').default_accounting_retention_years()


class ConfigurationSequence(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.membership.configuration.sequence'

    member_sequence = fields.Many2One(
        'ir.sequence.strict', "Member Sequence", required=True,
        domain=[
            ('company', 'in', [Eval('company', -1), None]),
            ('sequence_type', '=',
                Id('coop_membership', 'sequence_type_member')),
            ])

    meeting_sequence = fields.Many2One(
        'ir.sequence', "Meeting Sequence", required=True,
        domain=[
            ('company', 'in', [Eval('company', -1), None]),
            ('sequence_type', '=',
                Id('coop_membership', 'sequence_type_meeting')),
            ])

    @classmethod
    def default_member_sequence(cls):
        return _get_id('sequence_member')

    @classmethod
    def default_meeting_sequence(cls):
        return _get_id('sequence_meeting')


class ConfigurationDefault(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.membership.configuration.default'

    journal = journal
    default_category = fields.Many2One(
        'coop.member.category', "Default Category",
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    register_columns = register_columns

    @classmethod
    def default_journal(cls):
        return _get_id('journal_cooperative')

    @classmethod
    def default_register_columns(cls):
        return 'generic'


class ConfigurationRule(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.membership.configuration.rule'

    year_end_month = year_end_month
    majority_age = majority_age
    entity_representative = entity_representative
    retention_years = retention_years
    accounting_retention_years = accounting_retention_years
    suspensions = suspensions
    suspension_days = suspension_days
    joint_members = joint_members
    persons = persons

    @classmethod
    def default_suspensions(cls):
        return False

    @classmethod
    def default_joint_members(cls):
        return False

    @classmethod
    def default_persons(cls):
        return False

    @classmethod
    def default_year_end_month(cls):
        return '12'

    @classmethod
    def default_majority_age(cls):
        return 18

    @classmethod
    def default_entity_representative(cls):
        return False

    @classmethod
    def default_retention_years(cls):
        return 3

    @classmethod
    def default_accounting_retention_years(cls):
        return 10


class ConfigurationMeeting(ModelSQL, CompanyValueMixin):
    __name__ = 'coop.membership.configuration.meeting'

    quorum_basis = quorum_basis
    first_quorum_percent = first_quorum_percent
    first_quorum_minimum = first_quorum_minimum
    second_quorum_percent = second_quorum_percent
    second_quorum_minimum = second_quorum_minimum
    proxies_per_holder = proxies_per_holder
    votes_cap = votes_cap
    investing_limit = investing_limit
    elections = elections
    formal_minutes = formal_minutes

    @classmethod
    def default_elections(cls):
        return False

    @classmethod
    def default_formal_minutes(cls):
        return False

    @classmethod
    def default_quorum_basis(cls):
        return 'members'
