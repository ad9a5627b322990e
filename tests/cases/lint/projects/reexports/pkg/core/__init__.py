from pkg.core.factory import *
