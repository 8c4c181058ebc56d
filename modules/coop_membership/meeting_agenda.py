# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, fields, sequence_ordered
from trytond.pool import Pool
from trytond.pyson import Bool, Eval

from .document import PartMixin, SearchMixin
from .exceptions import MeetingValidationError
from .office import ROLES
from .voting import elect, is_carried, limit_investing, needed


class Item(SearchMixin, PartMixin, sequence_ordered(), ModelSQL, ModelView):
    __name__ = 'coop.meeting.item'
    __string__ = "Agenda Item"
    _not_copied = {
        'votes_for', 'votes_against', 'votes_abstain',
        'investing_for', 'investing_against', 'ballots', 'candidates',
        'excluded_members'}
    _document = 'meeting'
    _rec_name = 'subject'
    _search_names = 'subject', 'meeting.rec_name'

    _states_vote = {
        'invisible': Eval('kind') == 'information',
        }
    # Those for and against a list of candidates are counted on the list
    _states_motion = {
        'invisible': (
            (Eval('kind') == 'information')
            | ((Eval('kind') == 'election')
                & Bool(Eval('candidates', [])))),
        }
    _states_list = {
        'invisible': (
            (Eval('kind') != 'election') | ~Eval('elections', False)),
        }
    _states_office = {
        'invisible': (
            (Eval('kind') != 'election') | ~Eval('elections', False)
            | ~Eval('role')),
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
            'invisible': (
                (Eval('kind') != 'election')
                | Bool(Eval('candidates', []))),
            },
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    elections = fields.Function(
        fields.Boolean("Elections of Officers"), 'on_change_with_elections')
    candidates = fields.One2Many(
        'coop.meeting.candidate', 'item', "Candidates", states=_states_list,
        help="Those between whom the meeting elects.\n"
        "Leave empty to vote for or against one candidate.")
    seats = fields.Integer("Seats",
        states={
            **_states_list,
            'required': (Eval('kind') == 'election') & Bool(
                Eval('candidates', [])),
            },
        help="The number of those who are elected at most, "
        "which is also the number of votes on a ballot.")
    ballots = fields.Integer("Valid Ballots",
        states={
            'invisible': (
                (Eval('kind') != 'election')
                | ~Bool(Eval('candidates', []))),
            },
        help="The ballots that were cast and count, by their votes.")
    role = fields.Selection(ROLES, "Office", sort=False, states=_states_list,
        help="The office that those who are elected hold from the day of "
        "the meeting.")
    office_title = fields.Char("Title of the Office", states=_states_office,
        help="What the statutes call the office.\n"
        "Leave empty if it is the role.")
    office_end = fields.Date("End of the Office", states=_states_office,
        help="The last day of the office.\n"
        "Leave empty if it is not known.")
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
    votes_for = fields.Integer("For", states=_states_motion)
    votes_against = fields.Integer("Against", states=_states_motion)
    votes_abstain = fields.Integer("Abstentions", states=_states_vote)
    investing_for = fields.Integer(
        "For by Investing", states=_states_motion,
        help="The votes for, of which are from investing members.")
    investing_against = fields.Integer(
        "Against by Investing", states=_states_motion,
        help="The votes against, of which are from investing members.")
    excluded_members = fields.Many2Many(
        'coop.meeting.item-coop.member', 'item', 'member',
        "Excluded Members",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval('purpose').in_(['discharge', 'other']),
            },
        help="The members who may not vote on the item, neither for "
        "themselves nor for those they represent.")
    present_votes = fields.Function(fields.Integer("Present Votes",
            help="The votes present or represented, "
            "without those of the excluded members."),
        'get_votes')
    eligible_votes = fields.Function(fields.Integer("Eligible Votes",
            help="The votes of the roll, "
            "without those of the excluded members."),
        'get_votes')
    result = fields.Selection([
            (None, ""),
            ('carried', "Carried"),
            ('rejected', "Rejected"),
            ], "Result", readonly=True, sort=False, states=_states_vote)
    result_string = result.translated('result')

    del _states_vote, _states_motion, _states_list, _states_office

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
                    & (t.investing_against >= 0)
                    & (t.ballots >= 0)),
                'coop_membership.msg_item_votes_positive'),
            ('seats_positive', Check(t, t.seats > 0),
                'coop_membership.msg_item_seats_positive'),
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

    @classmethod
    def default_seats(cls):
        return 1

    @fields.depends('company')
    def on_change_with_elections(self, name=None):
        Configuration = Pool().get('coop.membership.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'elections', company=self.company.id)

    @fields.depends('meeting', '_parent_meeting.company')
    def on_change_with_company(self, name=None):
        return self.meeting.company if self.meeting else None

    @classmethod
    def search_company(cls, name, clause):
        return [('meeting.' + clause[0], *clause[1:])]

    def get_rec_name(self, name):
        return f'{self.subject} @ {self.meeting.rec_name}'

    def get_votes(self, name):
        total = getattr(self.meeting, name)
        excluded = set(self.excluded_members)
        if not excluded:
            return total
        holders = {m.party for m in excluded}
        for attendance in self.meeting.attendances:
            if name == 'present_votes':
                # Nor does who is excluded vote for others
                if attendance.presence != 'absent' and (
                        attendance.member in excluded
                        or attendance.representative in holders):
                    total -= attendance.votes
            elif attendance.member in excluded:
                total -= attendance.votes
        return total

    def compute_fields(self, field_names=None):
        values = super().compute_fields(field_names=field_names)
        if not field_names or field_names & {
                'kind', 'majority', 'majority_basis', 'votes_for',
                'votes_against', 'votes_abstain', 'investing_for',
                'investing_against', 'ballots', 'seats', 'candidates',
                'excluded_members'}:
            result = self.compute_result()
            if self.result != result:
                values['result'] = result
        return values

    @classmethod
    def validate_fields(cls, items, field_names):
        super().validate_fields(items, field_names)
        if field_names and not (field_names & {
                    'meeting', 'kind', 'votes_for', 'votes_against',
                    'votes_abstain', 'investing_for', 'investing_against',
                    'ballots', 'seats', 'candidates', 'excluded_members'}):
            return
        for item in items:
            item.check_votes()

    def check_votes(self):
        "Check that there are not more votes than present"
        meeting = self.meeting
        if self.is_list:
            self._check_candidates()
            votes = max(
                self.ballots or 0,
                max((c.votes or 0 for c in self.candidates), default=0))
            votes += self.votes_abstain or 0
        else:
            votes = sum(filter(None, [
                        self.votes_for, self.votes_against,
                        self.votes_abstain]))
        # The roll of a board is not always kept
        if votes > self.present_votes and (
                meeting.kind != 'board' or meeting.attendances):
            raise MeetingValidationError(gettext(
                    'coop_membership.msg_item_votes_present',
                    item=self.subject,
                    votes=votes,
                    present=self.present_votes))
        if ((self.investing_for or 0) > (self.votes_for or 0)
                or (self.investing_against or 0)
                > (self.votes_against or 0)):
            raise MeetingValidationError(gettext(
                    'coop_membership.msg_item_votes_investing',
                    item=self.subject))

    def _check_candidates(self):
        "Check that the ballots are enough for the votes on them"
        if self.ballots is None:
            return
        votes = [c.votes or 0 for c in self.candidates]
        if (max(votes) > self.ballots
                or sum(votes) > self.ballots * (self.seats or 1)):
            raise MeetingValidationError(gettext(
                    'coop_membership.msg_item_votes_ballots',
                    item=self.subject,
                    ballots=self.ballots,
                    seats=self.seats or 1))

    def count_candidates(self):
        "Return who of the candidates is elected, and who has to draw lots"
        if not self.is_list or not self.is_voted:
            return [], []
        if self.majority == 'simple':
            enough = 1
        else:
            if self.majority_basis == 'cast':
                total = self.ballots
            else:
                total = getattr(self, f'{self.majority_basis}_votes')
            if not total:
                return [], []
            enough = needed(self.majority, total)
        return elect(
            {c: c.votes or 0 for c in self.candidates}, self.seats or 1,
            needed=enough, drawn=[c for c in self.candidates if c.drawn])

    @property
    def elected_parties(self):
        "Those whom the vote has elected"
        if self.kind != 'election' or self.result != 'carried':
            return []
        elif self.is_list:
            return [c.party for c in self.count_candidates()[0]]
        return [self.candidate] if self.candidate else []

    @classmethod
    def check_elections(cls, items):
        "Check that it is decided who is elected"
        for item in items:
            if not item.is_list or not item.is_voted:
                continue
            if (item.ballots is None and item.majority != 'simple'
                    and item.majority_basis == 'cast'):
                raise MeetingValidationError(gettext(
                        'coop_membership.msg_item_ballots',
                        item=item.subject))
            _, tied = item.count_candidates()
            if tied:
                raise MeetingValidationError(gettext(
                        'coop_membership.msg_item_tied',
                        item=item.subject,
                        candidates=', '.join(
                            c.party.rec_name for c in tied)))

    @property
    def is_list(self):
        "Whether it elects between candidates, which others may have kept"
        return self.kind == 'election' and bool(self.candidates)

    @property
    def is_voted(self):
        if self.is_list:
            return (self.ballots is not None
                or any(c.votes is not None for c in self.candidates))
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
        if self.is_list:
            return 'carried' if self.count_candidates()[0] else 'rejected'
        votes_for, votes_against = self.counted_votes
        if self.majority_basis == 'cast':
            total = votes_for + votes_against
        else:
            # Votes that do not count are not missing either
            total = (
                getattr(self, f'{self.majority_basis}_votes')
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
