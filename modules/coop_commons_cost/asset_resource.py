# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.modules.coop_membership.document import ResultMixin


class AssetResource(ResultMixin, ModelSQL, ModelView):
    __name__ = 'account.asset.resource'
    __string__ = "Resource of an Asset"
    # It is made when the resource changes, which may be noted later
    _modify_always = {'date'}

    asset = fields.Many2One(
        'account.asset', "Asset", required=True, readonly=True,
        ondelete='CASCADE')
    date = fields.Date(
        "From", required=True,
        help="The first day on which the use of the resource counts.")
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", readonly=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls.__access__.add('asset')
        cls._sql_constraints.append((
                'date_unique', Unique(t, t.asset, t.date),
                'coop_commons_cost.msg_asset_resource_date_unique'))
        cls._order = [('date', 'DESC'), ('id', 'DESC')]

    def get_rec_name(self, name):
        return '%s - %s' % (
            self.asset.rec_name,
            self.resource.rec_name if self.resource else '')
