!> What a local filter has in common with every other: it gets the observations of a domain, and updates state elements.
module pl_local_update
   use pl_error, only: error_type
   use pl_kinds, only: rk
   use pl_localisation, only: localisation_type
   implicit none (type, external)
   private
   public :: local_problem_type, local_update_type

   !> Arrays over all observations that the updates read.
   type :: local_problem_type
      integer :: nmember = 0                         !! members N
      real(rk), allocatable :: anomalies(:, :)       !! (nmember, nobs), inflated, over the error deviation [1]
      real(rk), allocatable :: innovations(:)        !! (nobs), over the error deviation [1]
      real(rk), allocatable :: perturbations(:, :)   !! (nmember, nobs), of the EnKF, of unit variance [1]
   end type local_problem_type

   !> The update of local domains, one after the other.
   type, abstract :: local_update_type
      type(local_problem_type), pointer :: problem => null()      !! kept by the caller
      type(localisation_type), pointer :: localisation => null()  !! kept by the caller
   contains
      procedure(create_update), deferred :: create
      procedure(prepare_update), deferred :: prepare
      procedure(apply_update), deferred :: apply
   end type local_update_type

   abstract interface
      !> Allocate what all domains use.
      subroutine create_update(self, nmember, error)
         import :: error_type, local_update_type
         implicit none (type, external)
         class(local_update_type), intent(inout) :: self
         integer, intent(in) :: nmember                      !! members [1]
         type(error_type), allocatable, intent(out) :: error !! unknown option, not enough memory
      end subroutine create_update

      !> Take up the observations of a domain.
      subroutine prepare_update(self, found, weight, error)
         import :: error_type, local_update_type, rk
         implicit none (type, external)
         class(local_update_type), intent(inout) :: self
         integer, intent(in) :: found(:)                     !! observations, at least one
         real(rk), intent(in) :: weight(:)                   !! their weights, above 0 [1]
         type(error_type), allocatable, intent(out) :: error !! not enough memory, or no convergence
      end subroutine prepare_update

      !> Turn the inflated prior anomalies of state elements into deviations of the analysis from the prior mean.
      subroutine apply_update(self, nused, block)
         import :: local_update_type, rk
         implicit none (type, external)
         class(local_update_type), intent(inout) :: self
         integer, intent(in) :: nused                     !! lanes with state elements, one less than there are at most
         real(rk), intent(inout) :: block(:, :) !! (lanes, nmember) [any unit]
      end subroutine apply_update
   end interface

end module pl_local_update
