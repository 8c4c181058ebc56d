# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.pyson import Bool, Eval
from trytond.transaction import Transaction


class ForResource:
    "For a resource or a category of them"
    __slots__ = ()

    company = fields.Many2One('company.company', "Company", required=True)
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('category')),
            'required': ~Eval('category'),
            })
    category = fields.Many2One(
        'coop.commons.category', "Resource Category", ondelete='CASCADE',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('resource')),
            'required': ~Eval('resource'),
            })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    def is_for(self, resource):
        if self.resource:
            return self.resource == resource
        return self.category == resource.category

    @classmethod
    def get_domain(cls, resource):
        "Return the domain of what is for the resource"
        return ['OR',
            ('resource', '=', resource.id),
            ('category', '=', resource.category.id if resource.category
                else -1),
            ]
