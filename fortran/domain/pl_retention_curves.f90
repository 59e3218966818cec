!> Curves of soil water in a chunk of cells: effective saturation and conductivity as functions of the pressure head.
!>
!> The formulas and their sources are those of pl_soil_hydraulics, which adds parameters and the saturated branch.
module pl_retention_curves
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: clapp_hornberger, gardner, invert_van_genuchten, van_genuchten
   public :: driest_head, largest_exponent

   real(rk), parameter :: driest_head = -1.0e6_rk  !! no soil of this model is drier; oven dryness is -1e5 m (pF 7) [m]
   real(rk), parameter :: largest_exponent = 600.0_rk !! of exp, inside the range of real64 [1]
   real(rk), parameter :: series_bound = 1.0e-4_rk !! 1/(1+(alpha h)**n) below which 1-(1-x)**m is a series [1]

contains

   !> van Genuchten-Mualem with air-entry head; one log-exp pair for (alpha h)**n, one for the power m.
   pure subroutine van_genuchten(alpha, n, saturation_scale, conductivity_scale, entry, head, saturation, capacity, &
                                 conductivity, slope)
      real(rk), intent(in) :: alpha(w)              !! [m-1]
      real(rk), intent(in) :: n(w)                  !! [1]
      real(rk), intent(in) :: saturation_scale(w)   !! [1]
      real(rk), intent(in) :: conductivity_scale(w) !! [m s-1]
      real(rk), intent(in) :: entry(w)              !! [m]
      real(rk), intent(in) :: head(w)               !! [m]
      real(rk), intent(out) :: saturation(w)        !! effective saturation [1]
      real(rk), intent(out) :: capacity(w)          !! its derivative to the head [m-1]
      real(rk), intent(out) :: conductivity(w)      !! [m s-1]
      real(rk), intent(out) :: slope(w)             !! [s-1]
      real(rk) :: ah, m, power, x, shape_term, drained, filled
      integer :: i
      do i = 1, w
         m = 1.0_rk - 1.0_rk/n(i)
         ah = alpha(i)*min(max(-head(i), entry(i)), -driest_head)
         power = exp(n(i)*log(ah))
         x = 1.0_rk/(1.0_rk + power)
         shape_term = exp(m*log(x))
         drained = power/ah*shape_term                           ! (1 - x)**m
         filled = merge(m*x*(1.0_rk + 0.5_rk*(1.0_rk - m)*x*(1.0_rk + (2.0_rk - m)*x/3.0_rk)), 1.0_rk - drained, &
                        x < series_bound)
         filled = max(filled, tiny(filled))
         saturation(i) = shape_term*saturation_scale(i)
         capacity(i) = (n(i) - 1.0_rk)*alpha(i)*power/ah*x*saturation(i)
         conductivity(i) = conductivity_scale(i)*sqrt(saturation(i))*filled*filled
         slope(i) = conductivity(i)*(n(i) - 1.0_rk)*alpha(i)*x/ah*(2.0_rk*drained/filled + 0.5_rk*power)
      end do
   end subroutine van_genuchten

   !> Clapp-Hornberger: S = (h_s/h)**(1/b), K = K_s S**(2b+3) = K_s (h_s/h)**2 S**3.
   pure subroutine clapp_hornberger(b, k_sat, entry, head, saturation, capacity, conductivity, slope)
      real(rk), intent(in) :: b(w)             !! exponent [1]
      real(rk), intent(in) :: k_sat(w)         !! [m s-1]
      real(rk), intent(in) :: entry(w)         !! air-entry head h_s [m]
      real(rk), intent(in) :: head(w)          !! [m]
      real(rk), intent(out) :: saturation(w)   !! [1]
      real(rk), intent(out) :: capacity(w)     !! [m-1]
      real(rk), intent(out) :: conductivity(w) !! [m s-1]
      real(rk), intent(out) :: slope(w)        !! [s-1]
      real(rk) :: suction, ratio
      integer :: i
      do i = 1, w
         suction = max(-head(i), entry(i))
         ratio = entry(i)/suction
         saturation(i) = exp(max(log(ratio)/b(i), -largest_exponent/4.0_rk))
         capacity(i) = saturation(i)/(b(i)*suction)
         conductivity(i) = k_sat(i)*ratio*ratio*saturation(i)**3
         slope(i) = conductivity(i)*(2.0_rk + 3.0_rk/b(i))/suction
      end do
   end subroutine clapp_hornberger

   !> Gardner: S = exp(alpha psi), K = K_s S.
   pure subroutine gardner(alpha, k_sat, head, saturation, capacity, conductivity, slope)
      real(rk), intent(in) :: alpha(w)         !! [m-1]
      real(rk), intent(in) :: k_sat(w)         !! [m s-1]
      real(rk), intent(in) :: head(w)          !! [m]
      real(rk), intent(out) :: saturation(w)   !! [1]
      real(rk), intent(out) :: capacity(w)     !! [m-1]
      real(rk), intent(out) :: conductivity(w) !! [m s-1]
      real(rk), intent(out) :: slope(w)        !! [s-1]
      integer :: i
      do i = 1, w
         saturation(i) = exp(max(alpha(i)*min(head(i), 0.0_rk), -largest_exponent))
         capacity(i) = alpha(i)*saturation(i)
         conductivity(i) = k_sat(i)*saturation(i)
         slope(i) = alpha(i)*conductivity(i)
      end do
   end subroutine gardner

   !> Inverse of van Genuchten's retention curve.
   pure subroutine invert_van_genuchten(alpha, n, saturation_scale, saturation, head)
      real(rk), intent(in) :: alpha(w)            !! [m-1]
      real(rk), intent(in) :: n(w)                !! [1]
      real(rk), intent(in) :: saturation_scale(w) !! [1]
      real(rk), intent(in) :: saturation(w)       !! effective saturation in (0, 1] [1]
      real(rk), intent(out) :: head(w)            !! [m]
      real(rk) :: exponent, power
      integer :: i
      do i = 1, w
         exponent = -log(saturation(i)/saturation_scale(i))*n(i)/(n(i) - 1.0_rk)
         power = exp(min(max(exponent, 0.0_rk), largest_exponent)) - 1.0_rk
         head(i) = -exp(log(max(power, tiny(power)))/n(i))/alpha(i)
      end do
   end subroutine invert_van_genuchten

end module pl_retention_curves
