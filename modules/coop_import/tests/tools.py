# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.

__all__ = ['EXTRAS']

# Of which there is something to import
EXTRAS = [
    'account_payment_sepa', 'coop_commons', 'coop_patronage', 'coop_shares']
