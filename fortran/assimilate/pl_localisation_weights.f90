!> Weights that fade the influence of an observation with distance.
!>
!> All tapers share one convention: `radius` is the support radius, and the weight is zero beyond it (PDAF: cradius =
!> sradius = radius). Gaspari and Cohn (1999), Q. J. R. Meteorol. Soc. 125, 723-757, eq. 4.10 with c = radius/2.
module pl_localisation_weights
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: localisation_weight, taper_exponential, taper_gaspari_cohn, taper_none

   integer, parameter :: taper_none = 0         !! 1 up to the radius
   integer, parameter :: taper_exponential = 1  !! exp(-distance/radius) up to the radius
   integer, parameter :: taper_gaspari_cohn = 2 !! fifth-order piecewise rational, half width radius/2

contains

   !> Weight of an observation in a local analysis, 0 to 1.
   elemental function localisation_weight(distance, radius, taper) result(weight)
      real(rk), intent(in) :: distance !! distance from the local domain, at least 0 [m, or the unit of the coordinates]
      real(rk), intent(in) :: radius   !! support radius, above 0, may be infinite [as distance]
      integer, intent(in) :: taper     !! one of the tapers above
      real(rk) :: weight               !! factor on the inverse error variance [1]
      real(rk) :: r
      weight = 0.0_rk
      if (distance > radius) return
      weight = 1.0_rk
      if (radius > huge(radius)) return
      select case (taper)
      case (taper_gaspari_cohn)
         r = distance/(0.5_rk*radius)
         if (r <= 1.0_rk) then
            weight = 1.0_rk + r*r*(-5.0_rk/3.0_rk + r*(0.625_rk + r*(0.5_rk - 0.25_rk*r)))
         else
            weight = 4.0_rk + r*(-5.0_rk + r*(5.0_rk/3.0_rk + r*(0.625_rk + r*(-0.5_rk + r/12.0_rk)))) - &
                     2.0_rk/(3.0_rk*r)
            weight = max(weight, 0.0_rk) ! rounding close to r = 2, where the function is zero
         end if
      case (taper_exponential)
         weight = exp(-distance/radius)
      case default
         weight = 1.0_rk
      end select
   end function localisation_weight

end module pl_localisation_weights
