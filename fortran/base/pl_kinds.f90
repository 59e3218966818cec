!> Numeric kinds of the whole core.
module pl_kinds
   use, intrinsic :: iso_fortran_env, only: int32, int64, real64
   implicit none (type, external)
   private
   public :: ik, lk, rk

   integer, parameter :: rk = real64 !! working precision of every real
   integer, parameter :: ik = int32  !! default integer
   integer, parameter :: lk = int64  !! counters, addresses, random words

end module pl_kinds
