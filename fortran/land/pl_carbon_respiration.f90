!> Respiration of plants: maintenance of leaves, stems and roots, and growth.
!>
!> Live stems and roots respire in proportion to their nitrogen and to Q10**((T - 20 degC)/10): stems at the temperature
!> of the air, roots layer by layer at that of the soil; leaves respire as in photosynthesis. Growth costs a fixed share
!> of what photosynthesis leaves over. CLM Technical Note (Lawrence et al. 2018), chapter on plant respiration, eqs.
!> 17.47 to 17.50; base rate of stems: Ryan (1991), Ecol. Appl. 1, 157-167; that of roots (`br_root` of the released
!> CLM5), Q10 and the share of growth (Atkin et al. 2017) as in CLM5.
module pl_carbon_respiration
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: growth_share, maintenance_factor, maintenance_respiration, split_respiration

   real(rk), parameter :: stem_rate = 2.525e-6_rk !! carbon respired per nitrogen of live stems at 20 degC [s-1]
   real(rk), parameter :: root_rate = 0.83e-6_rk  !! the same of roots [s-1]
   real(rk), parameter :: q10 = 1.5_rk            !! increase of maintenance per 10 K [1]
   real(rk), parameter :: reference = 293.15_rk   !! temperature of the base rates [K]
   real(rk), parameter :: growth_share = 0.11_rk  !! respired carbon per carbon of new tissue [1]

contains

   !> Q10 factor of maintenance respiration, 1 at 20 degC.
   pure subroutine maintenance_factor(temperature, factor)
      real(rk), intent(in) :: temperature(w) !! of the tissue [K]
      real(rk), intent(out) :: factor(w)     !! [1]
      real(rk), parameter :: rate = log(q10)/10.0_rk
      integer :: i
      do i = 1, w
         factor(i) = exp(rate*(temperature(i) - reference))
      end do
   end subroutine maintenance_factor

   !> Maintenance respiration of live stems and of roots in layers.
   pure subroutine maintenance_respiration(nlayer, stem_nitrogen, root_nitrogen, root_fraction, air_factor, &
                                           layer_factor, respiration)
      integer, intent(in) :: nlayer                    !! soil layers [1]
      real(rk), intent(in) :: stem_nitrogen(w)         !! of live stems [kg m-2]
      real(rk), intent(in) :: root_nitrogen(w)         !! of roots [kg m-2]
      real(rk), intent(in) :: root_fraction(w, nlayer) !! share of the roots [1]
      real(rk), intent(in) :: air_factor(w)            !! Q10 factor of the air [1]
      real(rk), intent(in) :: layer_factor(w, nlayer)  !! Q10 factor of the layers [1]
      real(rk), intent(out) :: respiration(w)          !! carbon [kg m-2 s-1]
      real(rk) :: roots(w)
      integer :: i, k
      roots = 0.0_rk
      do k = 1, nlayer
         do i = 1, w
            roots(i) = roots(i) + root_fraction(i, k)*layer_factor(i, k)
         end do
      end do
      do i = 1, w
         respiration(i) = stem_rate*stem_nitrogen(i)*air_factor(i) + root_rate*root_nitrogen(i)*roots(i)
      end do
   end subroutine maintenance_respiration

   !> Growth respiration and the sum of all plant respiration.
   !>
   !> Tissue and its growth respiration share the carbon that maintenance leaves: G (1 + g) = GPP - R_m where that is
   !> positive, so growth respires g/(1 + g) of it.
   pure subroutine split_respiration(gross, leaf, stem_root, growth, total)
      real(rk), intent(in) :: gross(w)     !! gross primary production [kg m-2 s-1]
      real(rk), intent(in) :: leaf(w)      !! leaf respiration [kg m-2 s-1]
      real(rk), intent(in) :: stem_root(w) !! maintenance of stems and roots [kg m-2 s-1]
      real(rk), intent(out) :: growth(w)   !! growth respiration [kg m-2 s-1]
      real(rk), intent(out) :: total(w)    !! autotrophic respiration [kg m-2 s-1]
      integer :: i
      do i = 1, w
         total(i) = leaf(i) + stem_root(i)
         growth(i) = growth_share/(1.0_rk + growth_share)*max(gross(i) - total(i), 0.0_rk)
         total(i) = total(i) + growth(i)
      end do
   end subroutine split_respiration

end module pl_carbon_respiration
