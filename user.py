# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta

# The desks of the groups, in the order in which one is opened
DESKS = [
    ('coop_membership.group_coop_board', 'act_desk_board'),
    ('coop_membership.group_coop_accounting', 'act_desk_accounting'),
    ('coop_membership.group_coop_membership', 'act_desk_membership'),
    ('coop_commons.group_commons_stewardship', 'act_desk_stewardship'),
    ]


class User(metaclass=PoolMeta):
    __name__ = 'res.user'

    @classmethod
    def _get_preferences(cls, user, context_only=False):
        preferences = super()._get_preferences(
            user, context_only=context_only)
        # Who has chosen no actions would see an empty screen
        if preferences.get('actions') == []:
            preferences['actions'] = cls._get_desks(user)
        return preferences

    @classmethod
    def _get_desks(cls, user):
        "Return the list of the action of the user's desk"
        pool = Pool()
        ActWindow = pool.get('ir.action.act_window')
        ModelData = pool.get('ir.model.data')
        groups = {g.id for g in user.groups}
        for group, desk in DESKS:
            if ModelData.get_id(group) in groups:
                return [ActWindow(ModelData.get_id('coop', desk)).action.id]
        return []
