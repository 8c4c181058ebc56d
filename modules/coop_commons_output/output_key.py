# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal
from itertools import groupby

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Unique, Workflow, fields
from trytond.modules.company.model import (
    employee_field, reset_employee, set_employee)
from trytond.modules.coop_membership.document import DocumentMixin, PartMixin
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.pyson import Eval, If

from . import output_sharing
from .exceptions import OutputError
from .output_user import OutputUserMixin


class OutputKey(DocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.commons.output.key'
    __string__ = "Output Key"
    _steps = {
        'draft': (['approved'], 'draft'),
        'approve': (['draft'], 'approved'),
        }

    _search_names = ('resource.rec_name',)

    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The resource whose output is shared, as a solar roof.")
    valid_from = fields.Date(
        "Valid from", required=True,
        help="The first day, until the next key of the resource.")
    method = fields.Selection([
            ('static', "Coefficients"),
            ('capped', "Coefficients up to Consumption"),
            ('dynamic', "Consumption of the Interval"),
            ], "Method", required=True, sort=False,
        help="The proportion in which the output of each interval is shared."
        "\nBy consumption nobody gets more than he consumes in it.\n"
        "By coefficients up to consumption what somebody does not consume of "
        "his part goes to the next priority, and else to nobody.")
    shares = fields.One2Many(
        'coop.commons.output.share', 'output_key', "Shares")
    approved_by = employee_field("Approved by", states=['approved'])
    state = fields.Selection([
            ('draft', "Draft"),
            ('approved', "Approved"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('valid_from_unique', Unique(t, t.resource, t.valid_from),
                'coop_commons_output.msg_output_key_unique'),
            ]
        cls._order = [('valid_from', 'DESC'), ('id', 'DESC')]

    @classmethod
    def default_method(cls):
        return 'static'

    def get_rec_name(self, name):
        return '%s %s' % (self.resource.rec_name, self.valid_from)

    @classmethod
    def check_unused(cls, keys, message):
        "Check that nothing is shared since the keys are valid"
        pool = Pool()
        Output = pool.get('coop.commons.output')
        claim(k.resource for k in keys)
        for key in keys:
            outputs = Output.search([
                    ('resource', '=', key.resource.id),
                    ('state', 'in', ['computed', 'posted']),
                    ('end_date', '>=', key.valid_from),
                    ], limit=1)
            if outputs:
                used, = outputs
                raise OutputError(gettext(
                        message, key=key.rec_name, output=used.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    @reset_employee('approved_by')
    def draft(cls, keys):
        cls.check_unused(keys, 'coop_commons_output.msg_output_key_used')

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    @set_employee('approved_by')
    def approve(cls, keys):
        cls.check_unused(keys, 'coop_commons_output.msg_output_key_late')
        for key in keys:
            groups = key.groups
            if key.method == 'static' and len(groups) > 1:
                raise OutputError(gettext(
                        'coop_commons_output.msg_output_key_priority',
                        key=key.rec_name))
            if key.method == 'dynamic':
                continue
            for shares in groups or [[]]:
                total = sum(s.coefficient or 0 for s in shares)
                if total != 1:
                    raise OutputError(gettext(
                            'coop_commons_output.msg_output_key_sum',
                            key=key.rec_name, total=total))

    @property
    def groups(self):
        "The shares by their priority, those that are served first come first"
        def priority(share):
            return share.priority or 0
        return [
            list(shares) for _, shares in groupby(
                sorted(self.shares, key=lambda s: (priority(s), s.id)),
                key=priority)]

    def share_out(self, interval, unit, carried):
        "Return the parts of the interval, and what is carried"
        consumption = dict.fromkeys((s.key for s in self.shares), Decimal(0))
        for line in interval.consumptions:
            if line.key in consumption:
                consumption[line.key] += line.quantity

        def share(output, shares, carried):
            weights = {s.key: s.coefficient for s in shares}
            if self.method == 'static':
                return output_sharing.share_out(
                    output, weights, unit, carried)
            used = {key: consumption[key] for key in weights}
            if self.method == 'capped':
                return output_sharing.share_capped(
                    output, weights, used, unit, carried)
            return output_sharing.share_used(output, used, unit, carried)
        return output_sharing.share_in_turn(
            interval.quantity, self.groups, share, carried)


class OutputShare(
        PartMixin, OutputUserMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.output.share'
    __string__ = "Output Share"
    _document = 'output_key'

    output_key = fields.Many2One(
        'coop.commons.output.key', "Key", required=True, ondelete='CASCADE')
    code = fields.Char(
        "Code",
        help="What identifies the user in the files of the meters.\n"
        "Leave empty for the number of the member.")
    method = fields.Function(
        fields.Selection('get_methods', "Method"), 'on_change_with_method')
    coefficient = fields.Numeric(
        "Coefficient", digits=(None, 6),
        domain=[
            If(Eval('method').in_(['static', 'capped']),
                [
                    ('coefficient', '>=', 0),
                    ('coefficient', '<=', 1),
                    ],
                ()),
            ],
        states={
            'required': Eval('method').in_(['static', 'capped']),
            'invisible': ~Eval('method').in_(['static', 'capped']),
            },
        help="The part of the output, those of a key and a priority sum to "
        "1.")
    priority = fields.Integer(
        "Priority",
        states={
            'invisible': Eval('method') == 'static',
            },
        help="Those of the lowest number are served first, what they do not "
        "consume goes to the next.\n"
        "Leave empty for the first.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('output_key')
        cls.code.search_unaccented = False

    @classmethod
    def get_methods(cls):
        pool = Pool()
        Key = pool.get('coop.commons.output.key')
        return Key.fields_get(['method'])['method']['selection']

    @fields.depends('output_key', '_parent_output_key.method')
    def on_change_with_method(self, name=None):
        return self.output_key.method if self.output_key else None

    @fields.depends('output_key', '_parent_output_key.company')
    def on_change_with_company(self, name=None):
        return self.output_key.company if self.output_key else None

    def get_rec_name(self, name):
        return '%s @ %s' % (self.user.rec_name, self.output_key.rec_name)

    @property
    def file_code(self):
        return self.code or (
            self.member.number if self.member else self.user.code)
