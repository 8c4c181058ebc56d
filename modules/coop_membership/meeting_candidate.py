# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import Check, ModelSQL, ModelView, Unique, fields
from trytond.pool import Pool
from trytond.pyson import Eval

from .document import PartMixin, SearchMixin


class Candidate(SearchMixin, PartMixin, ModelSQL, ModelView):
    __name__ = 'coop.meeting.candidate'
    __string__ = "Candidate"
    _document = 'item'
    _not_copied = {'votes', 'drawn'}
    _search_names = ('party.rec_name',)

    item = fields.Many2One(
        'coop.meeting.item', "Agenda Item", required=True,
        ondelete='CASCADE')
    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='RESTRICT',
        context={
            'company': Eval('_parent_item', {}).get('company', -1),
            },
        depends={'item'})
    votes = fields.Integer("Votes",
        help="The votes for the candidate.")
    drawn = fields.Boolean("Drawn by Lot",
        help="Check for whom the lot was drawn between equal votes.")
    elected = fields.Function(fields.Boolean("Elected"), 'get_elected')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('item')
        t = cls.__table__()
        cls._sql_constraints += [
            ('party_unique', Unique(t, t.item, t.party),
                'coop_membership.msg_candidate_unique'),
            ('votes_positive', Check(t, t.votes >= 0),
                'coop_membership.msg_item_votes_positive'),
            ]
        # As on the ballot
        cls._order = [('id', 'ASC')]

    @classmethod
    def default_drawn(cls):
        return False

    def get_rec_name(self, name):
        return f'{self.party.rec_name} @ {self.item.subject}'

    def get_elected(self, name):
        return self in self.item.count_candidates()[0]

    @classmethod
    def on_modification(cls, mode, candidates, field_names=None):
        super().on_modification(mode, candidates, field_names=field_names)
        if mode != 'delete':
            cls._set_result({c.item.id for c in candidates})

    @classmethod
    def on_delete(cls, candidates):
        callables = super().on_delete(candidates)
        items = {c.item.id for c in candidates}
        callables.append(lambda: cls._set_result(items))
        return callables

    @classmethod
    def _set_result(cls, items):
        "Check the votes of the items and their results anew"
        Item = Pool().get('coop.meeting.item')
        # They may be gone together with their candidates
        Item.set_result(Item.search([('id', 'in', list(items))]))


class ItemMember(PartMixin, ModelSQL):
    __name__ = 'coop.meeting.item-coop.member'
    _document = 'item'

    item = fields.Many2One(
        'coop.meeting.item', "Agenda Item", required=True,
        ondelete='CASCADE')
    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('item')
