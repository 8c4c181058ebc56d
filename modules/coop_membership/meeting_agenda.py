# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, fields, sequence_ordered
from trytond.pool import Pool
from trytond.pyson import Eval

from .document import PartMixin, SearchMixin
from .exceptions import MeetingValidationError
from .voting import is_carried, limit_investing


class Item(SearchMixin, PartMixin, sequence_ordered(), ModelSQL, ModelView):
    __name__ = 'coop.meeting.item'
    __string__ = "Agenda Item"
    _not_copied = {
        'votes_for', 'votes_against', 'votes_abstain',
        'investing_for', 'investing_against'}
    _document = 'meeting'
    _rec_name = 'subject'
    _search_names = 'subject', 'meeting.rec_name'

    _states_vote = {
        'invisible': Eval('kind') == 'information',
        }

    meeting = fields.Many2One(
        'coop.meeting', "Meeting", required=True, ondelete='CASCADE')
    company = fields.Function(
        fields.Many2One('company.company', "Company"),
        'on_change_with_company', searcher='search_company')
    subject = fields.Char("Subject", required=True)
    text = fields.Text("Text",
        help="The motion and what was said about it.")
    kind = fields.Selection([
            ('information', "Information"),
            ('resolution', "Resolution"),
            ('election', "Election"),
            ], "Kind", required=True, sort=False)
    candidate = fields.Many2One(
        'party.party', "Candidate", ondelete='RESTRICT',
        states={
            'invisible': Eval('kind') != 'election',
            },
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    purpose = fields.Selection([
            (None, ""),
            ('accounts', "Approval of the Accounts"),
            ('appropriation', "Appropriation of the Surplus"),
            ('share_dividend', "Share Dividend"),
            ('patronage', "Patronage"),
            ('rates', "Rates"),
            ('discharge', "Discharge"),
            ('other', "Other"),
            ], "Purpose", sort=False)
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval('purpose'),
            })
    majority = fields.Selection([
            ('simple', "Simple"),
            ('absolute', "Absolute"),
            ('two_thirds', "Two Thirds"),
            ('three_quarters', "Three Quarters"),
            ('nine_tenths', "Nine Tenths"),
            ('unanimous', "Unanimous"),
            ], "Majority", sort=False,
        states={
            **_states_vote,
            'required': Eval('kind') != 'information',
            })
    majority_string = majority.translated('majority')
    majority_basis = fields.Selection([
            ('cast', "Votes Cast"),
            ('present', "Votes Present"),
            ('eligible', "Eligible Votes"),
            ], "Majority Basis", sort=False,
        states={
            'invisible': (
                (Eval('kind') == 'information')
                | (Eval('majority') == 'simple')),
            'required': Eval('kind') != 'information',
            },
        help="The votes the majority is counted from.")
    majority_basis_string = majority_basis.translated('majority_basis')
    votes_for = fields.Integer("For", states=_states_vote)
    votes_against = fields.Integer("Against", states=_states_vote)
    votes_abstain = fields.Integer("Abstentions", states=_states_vote)
    investing_for = fields.Integer("For by Investing", states=_states_vote,
        help="The votes for, of which are from investing members.")
    investing_against = fields.Integer(
        "Against by Investing", states=_states_vote,
        help="The votes against, of which are from investing members.")
    result = fields.Selection([
            (None, ""),
            ('carried', "Carried"),
            ('rejected', "Rejected"),
            ], "Result", readonly=True, sort=False, states=_states_vote)
    result_string = result.translated('result')

    del _states_vote

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('meeting')
        t = cls.__table__()
        cls._sql_constraints += [
            ('votes_positive',
                Check(t,
                    (t.votes_for >= 0)
                    & (t.votes_against >= 0)
                    & (t.votes_abstain >= 0)
                    & (t.investing_for >= 0)
                    & (t.investing_against >= 0)),
                'coop_membership.msg_item_votes_positive'),
            ]

    @classmethod
    def default_kind(cls):
        return 'resolution'

    @classmethod
    def default_majority(cls):
        return 'simple'

    @classmethod
    def default_majority_basis(cls):
        return 'cast'

    @fields.depends('meeting', '_parent_meeting.company')
    def on_change_with_company(self, name=None):
        return self.meeting.company if self.meeting else None

    @classmethod
    def search_company(cls, name, clause):
        return [('meeting.' + clause[0], *clause[1:])]

    def get_rec_name(self, name):
        return f'{self.subject} @ {self.meeting.rec_name}'

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if not field_names or field_names & {
                'kind', 'majority', 'majority_basis', 'votes_for',
                'votes_against', 'votes_abstain', 'investing_for',
                'investing_against'}:
            result = self.compute_result()
            if self.result != result:
                values['result'] = result
        return values

    @classmethod
    def validate_fields(cls, items, field_names):
        super().validate_fields(items, field_names)
        if field_names and not (field_names & {
                    'meeting', 'votes_for', 'votes_against', 'votes_abstain',
                    'investing_for', 'investing_against'}):
            return
        for item in items:
            item.check_votes()

    def check_votes(self):
        "Check that there are not more votes than present"
        meeting = self.meeting
        votes = sum(filter(None, [
                    self.votes_for, self.votes_against, self.votes_abstain]))
        # The roll of a board is not always kept
        if votes > meeting.present_votes and (
                meeting.kind != 'board' or meeting.attendances):
            raise MeetingValidationError(gettext(
                    'coop_membership.msg_item_votes_present',
                    item=self.subject,
                    votes=votes,
                    present=meeting.present_votes))
        if ((self.investing_for or 0) > (self.votes_for or 0)
                or (self.investing_against or 0)
                > (self.votes_against or 0)):
            raise MeetingValidationError(gettext(
                    'coop_membership.msg_item_votes_investing',
                    item=self.subject))

    @property
    def is_voted(self):
        return (self.kind != 'information'
            and (self.votes_for is not None
                or self.votes_against is not None
                or self.votes_abstain is not None))

    @property
    def counted_votes(self):
        "The votes for and against that count"
        Configuration = Pool().get('coop.membership.configuration')
        votes_for = self.votes_for or 0
        votes_against = self.votes_against or 0
        limit = Configuration(1).get_multivalue(
            'investing_limit', company=self.meeting.company.id)
        if limit is not None:
            return limit_investing(
                (votes_for, self.investing_for or 0),
                (votes_against, self.investing_against or 0), limit)
        return votes_for, votes_against

    def compute_result(self):
        if not self.is_voted:
            return None
        votes_for, votes_against = self.counted_votes
        if self.majority_basis == 'cast':
            total = votes_for + votes_against
        else:
            # Votes that do not count are not missing either
            total = (
                getattr(self.meeting, f'{self.majority_basis}_votes')
                - (self.votes_for or 0) - (self.votes_against or 0)
                + votes_for + votes_against)
        if is_carried(self.majority, votes_for, votes_against, total):
            return 'carried'
        return 'rejected'

    @classmethod
    def set_result(cls, items):
        for item in items:
            item.check_votes()
            item.result = item.compute_result()
        cls.save(items)
